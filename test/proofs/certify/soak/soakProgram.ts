/** Runs a soak in its own process: soakProgram.mjs KIND FOLDER PORT COUNT. The last line is the result. */

import { operateForDays } from './operateForDays.ts';
import { provisionMany } from './provisionMany.ts';
import { runInOneFolder } from './runInOneFolder.ts';
import type { SoakResult } from './soakResult.ts';

const [kind = '', folder = '', port = '', count = ''] = process.argv.slice(2);

function soak(): Promise<SoakResult> {
  switch (kind) {
    case 'provision':
      return provisionMany({ folder, port: Number(port), runs: Number(count) });
    case 'telemetry':
      return operateForDays(Number(count));
    case 'folder':
      return runInOneFolder(folder, Number(port), Number(count));
    default:
      throw new Error(`no soak is named ${kind}`);
  }
}

console.log(JSON.stringify(await soak()));
