/**
 * Starts the agent and kills it in a state: interruptIn.mjs FOLDER STATE. The calls of the state's effect never end.
 * When the state is on disk, the process kills itself.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { ACTIVE_STATES } from '../../../../machines/provision.states.ts';
import { devicePaths } from '../../../../src/device/paths.ts';
import { runAgent } from '../../../../src/provision/agent.ts';
import { VERSION } from '../../../../src/version.ts';

const [folder = '', wanted] = process.argv.slice(2);
const state = ACTIVE_STATES.find((known) => known === wanted);
if (state === undefined) throw new Error(`${wanted} is not an active state`);
const paths = devicePaths(folder);
const LOOK_MS = 20;
const HALF_A_FILE = '{ "half a conf';
let stuck = false;

/** Whether the path is needed to save the state. */
const isJournals = (path: unknown): boolean =>
  typeof path === 'string' && (path === paths.stateFolder || path.startsWith(paths.snapshot));

/** Damages the written file, which is the only way to `restore`. */
function spoilWhatWasWritten(call: string, args: readonly unknown[]): void {
  if (state === 'restore' && call === 'rename' && args[1] === paths.thermalConfig)
    writeFileSync(paths.thermalConfig, HALF_A_FILE);
}

for (const call of ['open', 'stat', 'lstat', 'readdir', 'realpath', 'rename', 'unlink', 'statfs', 'chmod'] as const) {
  const original: unknown = Reflect.get(promises, call);
  if (typeof original !== 'function') throw new Error(`node:fs/promises has no ${call}`);
  Reflect.set(promises, call, async (...args: readonly unknown[]) => {
    if (stuck && !isJournals(args[0])) await new Promise(() => {});
    const result: unknown = await Reflect.apply(original, promises, args);
    spoilWhatWasWritten(call, args);
    return result;
  });
}
syncBuiltinESMExports();

function dieOnceSaved(): void {
  try {
    const saved: unknown = JSON.parse(readFileSync(paths.snapshot, 'utf8')).state;
    if (saved === state) process.kill(process.pid, 'SIGKILL');
  } catch {
    // No snapshot yet.
  }
}

const result = await runAgent({
  paths,
  agentVersion: VERSION,
  boardId: 'board-1',
  signal: new AbortController().signal,
  sink: () => {},
  onState: (entered) => {
    if (entered !== state) return;
    stuck = true;
    setInterval(dieOnceSaved, LOOK_MS);
  },
});
throw new Error(`the run ended as ${result.outcome} before it reached ${state}: ${result.failure?.message ?? ''}`);
