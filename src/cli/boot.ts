import { nothingToDo, plainRun } from './nothingToDo.ts';
import { plainArguments } from './plainArguments.ts';
import { stopSignal } from './stopSignal.ts';

/** The commands that end in good order when they are told to. */
const STOPPABLE = ['run', 'start'];

/** The program's commands. */
export interface Program {
  /** @param signal what `stopSignal` has given already */
  main(argv: readonly string[], signal?: AbortSignal): Promise<void>;
}

/**
 * What every start of the program begins with. Nearly every boot ends here: no provision.txt, no unfinished run, and
 * none of the libraries loaded.
 * @param load the program's commands
 */
export async function boot(load: () => Promise<Program>): Promise<void> {
  const argv = process.argv.slice(2);
  if (nothingToDo(argv, process.env)) return;
  // Before the parts are loaded: a stop meanwhile is no kill.
  const signal = STOPPABLE.includes(argv[0] ?? '') ? stopSignal() : undefined;
  const settings = plainRun(argv, process.env);
  const plain = settings === undefined ? undefined : plainArguments(settings);
  if (plain !== undefined && signal !== undefined) {
    const { runPlain } = await import('./runPlain.ts');
    return runPlain(plain, signal);
  }
  const { main } = await load();
  await main(process.argv, signal);
}
