import { nothingToDo } from './nothingToDo.ts';

/** The commands that end in good order when they are told to. */
const STOPPABLE = ['run', 'start'];

/**
 * What every start of the program begins with. Nearly every boot ends here: no provision.txt, no unfinished run, and
 * none of the libraries loaded.
 * @param load the program's commands
 */
export async function boot(load: () => Promise<{ main(argv: readonly string[]): Promise<void> }>): Promise<void> {
  if (nothingToDo(process.argv.slice(2), process.env)) return;
  if (STOPPABLE.includes(process.argv[2] ?? '')) {
    const { stopSignal } = await import('./stopSignal.ts');
    stopSignal();
  }
  const { main } = await load();
  await main(process.argv);
}
