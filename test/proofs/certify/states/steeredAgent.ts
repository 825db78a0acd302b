/**
 * Loaded before the agent (node --import): makes its time faster, acts as another program at exact log lines, and kills
 * the agent at an exact line or in an exact state. The agent itself is the shipped one.
 */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import type { Act, LinePattern, Steering } from './steering.ts';

const steering: Steering = JSON.parse(process.env.STEERING ?? '{}');
const { kill, acts = [], finalStates = [], speed, speedSince } = steering;

// ---- time ----------------------------------------------------------------------------------------------------------

/** Only the time limit of the whole run is longer than this. */
const RUN_LIMIT_FROM_MS = 500_000;
const realNow = Date.now.bind(Date);
const realMonotonic = performance.now.bind(performance);
const realSetTimeout = globalThis.setTimeout;

const realDelay = (ms: number): number =>
  ms >= RUN_LIMIT_FROM_MS && steering.runLimitMs !== undefined ? steering.runLimitMs : ms / speed;

Date.now = () => Math.round(speedSince + (realNow() - speedSince) * speed);
performance.now = () => realMonotonic() * speed;
/** While an effect is held, timers of at least this length do not fire. The delay of a save is shorter. */
const HELD_FROM_MS = 500;
let heldIn: string | undefined;

Reflect.set(globalThis, 'setTimeout', (callback: (...args: unknown[]) => void, ms = 0, ...rest: unknown[]) => {
  const unlessHeld = (...args: unknown[]): void => {
    if (heldIn === undefined || ms < HELD_FROM_MS) callback(...args);
  };
  return Reflect.apply(realSetTimeout, globalThis, [unlessHeld, realDelay(ms), ...rest]);
});

// ---- lines ---------------------------------------------------------------------------------------------------------

interface Line {
  readonly event: string;
  readonly state: string | null;
}

let lines = 0;
const fitting = new Map<LinePattern, number>();

function fits(where: LinePattern, { event, state }: Line): boolean {
  if (where.line !== undefined && where.line !== lines) return false;
  if (where.event !== undefined && where.event !== event) return false;
  if (where.state !== undefined && where.state !== state) return false;
  const count = (fitting.get(where) ?? 0) + 1;
  fitting.set(where, count);
  return count === (where.nth ?? 1);
}

function perform(act: Act): void {
  if (act.do === 'write') writeFileSync(act.path, act.text);
  else if (act.do === 'remove') rmSync(act.path, { recursive: true });
  else chmodSync(act.path, act.mode);
}

const die = (): void => void process.kill(process.pid, 'SIGKILL');

function seeLine(line: Line): void {
  lines += 1;
  for (const { where, act } of acts) if (fits(where, line)) perform(act);
  if (kill === undefined || 'state' in kill || !fits(kill.where, line)) return;
  if (kill.at === 'line') die();
  else heldIn = line.state ?? '';
}

const write = process.stderr.write.bind(process.stderr);
Reflect.set(process.stderr, 'write', (chunk: unknown, ...rest: unknown[]) => {
  const written: unknown = Reflect.apply(write, process.stderr, [chunk, ...rest]);
  for (const text of String(chunk).split('\n')) if (text.startsWith('{')) seeLine(JSON.parse(text));
  return written;
});

// ---- snapshots -----------------------------------------------------------------------------------------------------

const stateIn = (path: string): string => JSON.parse(readFileSync(path, 'utf8')).state;
const isJournal = (path: string): boolean => path.includes('snapshot.json') || path.endsWith('provision-state');
const never = (): Promise<never> => new Promise(() => {});

async function around(call: string, args: readonly unknown[], work: () => Promise<unknown>): Promise<unknown> {
  const paths = args.filter((arg) => typeof arg === 'string');
  if (heldIn !== undefined && !paths.some(isJournal)) return never();
  const [from = '', to = ''] = paths;
  const saves = call === 'rename' && to.endsWith('snapshot.json');
  const state = saves ? stateIn(from) : '';
  const isFinal = saves && finalStates.includes(state);
  if (isFinal && kill?.at === 'saving' && kill.state === state) die();
  const result = await work();
  if (isFinal && kill?.at === 'saved' && kill.state === state) die();
  if (saves && heldIn === state) die();
  return result;
}

for (const call of ['open', 'stat', 'lstat', 'statfs', 'readdir', 'readFile', 'rename', 'unlink'] as const) {
  const original: unknown = Reflect.get(promises, call);
  if (typeof original !== 'function') throw new Error(`node:fs/promises has no ${call}`);
  Reflect.set(promises, call, (...args: readonly unknown[]) =>
    around(call, args, async () => Reflect.apply(original, promises, args)),
  );
}
syncBuiltinESMExports();
