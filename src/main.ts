#!/usr/bin/env node
import { nothingToDo } from './cli/nothingToDo.ts';

/** The commands that end in good order when they are told to. */
const STOPPABLE = ['run', 'start'];

// Nearly every boot ends here: no provision.txt, no unfinished run, and none of the libraries loaded.
if (!nothingToDo(process.argv.slice(2), process.env)) {
  if (STOPPABLE.includes(process.argv[2] ?? '')) {
    const { stopSignal } = await import('./cli/stopSignal.ts');
    stopSignal();
  }
  const { main } = await import('./cli/program.ts');
  await main(process.argv);
}
