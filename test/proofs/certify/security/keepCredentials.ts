/**
 * Preloaded into the agent (node --import): copies every credentials.json into the folder KEEP_CREDENTIALS. The agent
 * removes the file, but the trial needs its secrets for the search.
 */
import { copyFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { rename } = promises;
let kept = 0;
Reflect.set(promises, 'rename', async (from: string, to: string) => {
  if (to.endsWith('credentials.json')) {
    kept += 1;
    copyFileSync(from, `${process.env.KEEP_CREDENTIALS}/${process.pid}-${kept}`);
  }
  return rename(from, to);
});
syncBuiltinESMExports();
