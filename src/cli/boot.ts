import { nothingToDo } from './nothingToDo.ts';
import { stopSignal } from './stopSignal.ts';

const { writeSync } = process.getBuiltinModule('node:fs');

const STANDARD_ERROR = 2;
/** The commands that handle signals from their first moment. */
const STOPPABLE = ['run', 'start'];

/**
 * Starts the program. Nearly every boot ends here, without provision.txt and without an unfinished run.
 * @param load loads the commands
 */
export async function boot(load: () => Promise<{ main(): Promise<void> }>): Promise<void> {
  const argv = process.argv.slice(2);
  const answer = nothingToDo(argv, process.env);
  if (answer !== undefined) {
    writeSync(STANDARD_ERROR, answer);
    return;
  }
  if (STOPPABLE.includes(argv[0] ?? '')) stopSignal();
  const { main } = await load();
  await main();
}
