import { nothingToDo } from './nothingToDo.ts';
import { stopSignal } from './stopSignal.ts';

const { writeSync } = process.getBuiltinModule('node:fs');

const STANDARD_ERROR = 2;
/** The commands that a signal stops in good order, whenever it comes. */
const STOPPABLE = ['run', 'start'];

/** Prints the line of a boot without work. An output that takes no more must not change the exit status. */
function print(text: string): void {
  try {
    writeSync(STANDARD_ERROR, text);
  } catch {
    // The reader has closed the pipe (EPIPE) or does not read it (EAGAIN).
  }
}

/**
 * Every start of the program. Nearly every boot ends here: there is no provision.txt and no unfinished run.
 * @param load the program's commands
 */
export async function boot(load: () => Promise<{ main(): Promise<void> }>): Promise<void> {
  const argv = process.argv.slice(2);
  const answer = nothingToDo(argv, process.env);
  if (answer !== undefined) return print(answer);
  if (STOPPABLE.includes(argv[0] ?? '')) stopSignal();
  const { main } = await load();
  await main();
}
