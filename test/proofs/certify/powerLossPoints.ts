/** Walks through a trace: finds the states that a power loss can leave at each call that changes the disk. */

import type { World } from './powerLossBoot.ts';
import type { DiskFolder } from './powerLossDisk.ts';
import {
  factsOf,
  REGISTERED_BY,
  type RunFacts,
  SERVER_SAID,
  type StateFacts,
  TOLD,
  type Told,
  wholenessProblems,
} from './powerLossPromises.ts';
import { replayOn } from './powerLossReplay.ts';
import { type LossLimits, type LossState, lossStates, stateKey } from './powerLossStates.ts';
import type { SystemCall } from './powerLossTrace.ts';

/** A state for the next boot. */
export interface LossCase {
  readonly state: LossState;
  readonly world: World;
  readonly facts: RunFacts;
  /** The place where the state first occurred, as text. */
  readonly met: string;
}

export interface Walk {
  /** Number of calls that changed the disk or told the server or an operator something. */
  readonly points: number;
  /** Number of assessed power losses: the states over all points. */
  readonly losses: number;
  /** The distinct states. */
  readonly cases: readonly LossCase[];
  readonly violations: readonly string[];
  /** The entries of `TOLD` that the run told. */
  readonly told: readonly string[];
}

const SOCKET = `<${[...'socket:'].map((letter) => `\\x${letter.charCodeAt(0).toString(16)}`).join('')}`;
const READING = new Set(['read', 'readv', 'recvfrom', 'recvmsg']);
const SENDING = new Set(['write', 'writev', 'sendto', 'sendmsg']);

const isOnSocket = ({ args }: SystemCall): boolean => args.includes(SOCKET);
const wordsOf = ({ strings }: SystemCall): string => Buffer.concat(strings).toString('latin1');

const sends = (call: SystemCall): boolean =>
  SENDING.has(call.name) && call.descriptor !== 1 && call.descriptor !== 2 && isOnSocket(call);

function toldBy(call: SystemCall): readonly Told[] {
  if (!SENDING.has(call.name)) return [];
  // Standard output and standard error first: Node's pipes to a child are also sockets.
  const by = call.descriptor === 1 || call.descriptor === 2 ? 'output' : isOnSocket(call) ? 'network' : undefined;
  if (by === undefined) return [];
  const words = wordsOf(call);
  return TOLD.filter((told) => told.by === by && words.includes(told.words));
}

function isToldByServer(call: SystemCall): boolean {
  if (!READING.has(call.name) || !isOnSocket(call)) return false;
  const words = wordsOf(call);
  return SERVER_SAID.some((said) => words.includes(said));
}

/** The calls of a run on a disk. */
export interface Course {
  /** Name of the run, as text. */
  readonly label: string;
  readonly folder: string;
  /** The disk before the calls. `walk` changes it. */
  readonly disk: DiskFolder;
  readonly calls: readonly SystemCall[];
  readonly facts: RunFacts;
  /** The facts that an earlier run has told. */
  readonly told?: readonly Told[];
  readonly worlds?: readonly World[];
  /** Whether only the state with the most losses of each point is booted. All states are assessed. */
  readonly bootMostLost?: boolean;
  /** Whether the packets can't be read (TLS): each may be the request. */
  readonly encrypted?: boolean;
  /** Called after each change of a folder's entries that is not durable yet. */
  readonly onUnsyncedEntry?: (at: { call: SystemCall; told: readonly Told[]; worlds: readonly World[] }) => void;
}

const CHANGES_ENTRIES = new Set(['rename', 'renameat', 'renameat2', 'unlink', 'unlinkat']);

/**
 * Assesses every state of every point by the facts told so far, and collects the distinct states for a boot. Between
 * the request and the server's answer the device may or may not exist: both cases are collected.
 * @param maxViolations the walk ends after this number of violations, because a broken build has violations everywhere
 */
export function walk(course: Course, limits: LossLimits, maxViolations: number): Walk {
  const { folder, disk, facts, label } = course;
  const replay = replayOn(folder, disk);
  const told = new Set<Told>(course.told);
  const seen = new Map<string, StateFacts>();
  const cases = new Map<string, LossCase>();
  const violations = new Set<string>();
  let worlds: readonly World[] = course.worlds ?? ['unregistered'];
  let points = 0;
  let losses = 0;

  const assess = (state: LossState, key: string, met: string): void => {
    const shown = seen.get(key) ?? factsOf(state, facts);
    seen.set(key, shown);
    for (const problem of wholenessProblems(shown)) violations.add(`${met}: ${problem}`);
    for (const { promise, words, isKept } of told) {
      if (!isKept(shown)) violations.add(`${met}: no longer true: ${promise} (told by ${words})`);
    }
  };

  const visit = (met: string): void => {
    let first = true;
    for (const state of lossStates(disk, limits)) {
      losses += 1;
      const key = stateKey(state, limits.notes);
      assess(state, key, met);
      for (const world of first || course.bootMostLost !== true ? worlds : []) {
        const name = `${world} ${key}`;
        if (!cases.has(name)) cases.set(name, { state, world, facts, met: `${met}, ${world}` });
      }
      first = false;
    }
  };

  for (const [index, call] of course.calls.entries()) {
    const now = toldBy(call);
    for (const one of now) told.add(one);
    const asks = now.some(({ by }) => by === 'network') || (course.encrypted === true && sends(call));
    if (asks && !worlds.includes('registered')) worlds = ['unregistered', 'registered'];
    if (isToldByServer(call) || now.some(({ words }) => REGISTERED_BY.includes(words))) worlds = ['registered'];
    const changed = replay.apply(call);
    if (!changed && now.length === 0) continue;
    points += 1;
    visit(`${label}, power lost after call ${index} (${call.name})`);
    if (violations.size >= maxViolations) break;
    if (changed && CHANGES_ENTRIES.has(call.name)) course.onUnsyncedEntry?.({ call, told: [...told], worlds });
  }
  return {
    points,
    losses,
    cases: [...cases.values()],
    violations: [...violations],
    told: [...told].map(({ words }) => words),
  };
}
