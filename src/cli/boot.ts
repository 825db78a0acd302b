import { nothingToDo } from './nothingToDo.ts';
import { stopSignal } from './stopSignal.ts';

const { writeSync } = process.getBuiltinModule('node:fs');

const STANDARD_ERROR = 2;
/** The commands that a signal stops in good order, whenever it comes. */
const STOPPABLE = ['run', 'start'];

/**
 * Every start of the program. Nearly every boot ends here: there is no provision.txt and no unfinished run.
 * @param load the program's commands
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
