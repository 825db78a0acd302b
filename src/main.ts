#!/usr/bin/env node
import { nothingToDo } from './cli/nothingToDo.ts';

// Nearly every boot ends here: no provision.txt, no unfinished run, and none of the libraries loaded.
if (!nothingToDo(process.argv.slice(2), process.env)) {
  const { main } = await import('./cli/program.ts');
  await main(process.argv);
}
