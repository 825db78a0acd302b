import { nothingToDo } from './nothingToDo.ts';
import { handleHangUp, stopSignal } from './stopSignal.ts';

const { writeSync } = process.getBuiltinModule('node:fs');

const STANDARD_ERROR = 2;
/** The commands of systemd's units. They handle signals from their first moment. */
const SERVICES = ['run', 'start'];

/** Prints the line of a boot without work. A closed or full output must not change the exit status. */
function print(text: string): void {
  try {
    writeSync(STANDARD_ERROR, text);
  } catch {
    // The reader has closed the pipe (EPIPE) or does not read it (EAGAIN).
  }
}

/**
 * Starts the program. Nearly every boot ends here, without provision.txt and without an unfinished run.
 * @param load loads all commands
 */
export async function boot(load: () => Promise<{ main(): Promise<void> }>): Promise<void> {
  const argv = process.argv.slice(2);
  const answer = nothingToDo(argv, process.env);
  if (answer !== undefined) return print(answer);
  const isService = SERVICES.includes(argv[0] ?? '');
  if (isService) {
    stopSignal();
    handleHangUp();
  }
  const { main } = await (isService ? import('./serviceProgram.ts') : load());
  await main();
}
