// Preloaded into the agent on a board (NODE_OPTIONS): a card that hangs in an fsync, so that the test can cut the power
// at exactly that moment. STUCK_IN: the state of the chart; `detect` comes before the first fsync. STUCK_AFTER: number
// of fsyncs in that state that still work. SPOILED: a file that the card damages when it is replaced.
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';

const { STUCK_IN, STUCK_AFTER, SPOILED, THERMAL_DIR } = process.env;
const FOR_EVER_MS = 10 * 60 * 1000;
const { open, readFile, rename, truncate, writeFile } = promises;
let left = STUCK_IN === 'detect' ? Number(STUCK_AFTER) : undefined;

async function stick() {
  if (left === undefined) return;
  left -= 1;
  if (left >= 0) return;
  await writeFile(`${THERMAL_DIR}/stuck`, '');
  await pause(FOR_EVER_MS);
}

promises.open = async (...args) => {
  const handle = await open(...args);
  const sync = handle.sync;
  handle.sync = async () => {
    await stick();
    await sync.call(handle);
  };
  return handle;
};

promises.rename = async (from, to) => {
  await rename(from, to);
  if (SPOILED !== undefined && to.endsWith(SPOILED)) await truncate(to, 7);
  // No log line tells of the steps after the end.
  if (STUCK_IN !== 'provisioned' || !to.endsWith('/snapshot.json')) return;
  if (JSON.parse(await readFile(to, 'utf8')).state === STUCK_IN) left ??= Number(STUCK_AFTER);
};

const ENTERED = new RegExp(`"state":"${STUCK_IN}","attempt":\\d+,"event":"(state\\.entered|backoff\\.waiting)"`);
const { appendFileSync } = fs;
fs.appendFileSync = (file, line) => {
  appendFileSync(file, line);
  if (ENTERED.test(String(line))) left ??= Number(STUCK_AFTER);
};
syncBuiltinESMExports();
