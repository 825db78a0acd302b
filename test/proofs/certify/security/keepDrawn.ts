/**
 * Preloaded into the agent (node --import): keeps a copy of every credentials.json in the folder KEEP_DRAWN, because the
 * agent removes it, and the secrets in it are to be searched for.
 */
import { copyFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { rename } = promises;
let kept = 0;
Reflect.set(promises, 'rename', async (from: string, to: string) => {
  if (to.endsWith('credentials.json')) {
    kept += 1;
    copyFileSync(from, `${process.env.KEEP_DRAWN}/${process.pid}-${kept}`);
  }
  return rename(from, to);
});
syncBuiltinESMExports();
