/** Walks along a trace: at each call that changes the disk, the states that a power loss would leave there. */

import type { World } from './powerLossBoot.ts';
import type { DiskFolder } from './powerLossDisk.ts';
import {
  factsOf,
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

/** A state that the next boot has to cope with. */
export interface LossCase {
  readonly state: LossState;
  readonly world: World;
  readonly facts: RunFacts;
  /** Where it was first met, for people. */
  readonly met: string;
}

export interface Walk {
  /** Calls that changed the disk or told the world something. */
  readonly points: number;
  /** Losses of power that were judged: states, over all points. */
  readonly losses: number;
  /** The distinct states among them. */
  readonly cases: readonly LossCase[];
  readonly violations: readonly string[];
  /** What was told, in words of `TOLD`. */
  readonly told: readonly string[];
}

const SOCKET = `<${[...'socket:'].map((letter) => `\\x${letter.charCodeAt(0).toString(16)}`).join('')}`;
const READING = new Set(['read', 'readv', 'recvfrom', 'recvmsg']);
const SENDING = new Set(['write', 'writev', 'sendto', 'sendmsg']);

const isOnSocket = ({ args }: SystemCall): boolean => args.includes(SOCKET);
const wordsOf = ({ strings }: SystemCall): string => Buffer.concat(strings).toString('latin1');

function toldBy(call: SystemCall): readonly Told[] {
  if (!SENDING.has(call.name)) return [];
  // Standard output and standard error first: Node's pipes to a child are sockets, too.
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

/** A run's calls on a disk. */
export interface Course {
  /** For people. */
  readonly label: string;
  readonly folder: string;
  /** Before the calls; it is changed. */
  readonly disk: DiskFolder;
  readonly calls: readonly SystemCall[];
  readonly facts: RunFacts;
  /** What had been told before, by an earlier run. */
  readonly told?: readonly Told[];
  readonly worlds?: readonly World[];
  /** Only the state that has lost most of each point is booted; all are judged. */
  readonly bootMostLost?: boolean;
  /** Called after each change of a folder's entries that may still be lost. */
  readonly onUnsyncedEntry?: (at: { call: SystemCall; told: readonly Told[]; worlds: readonly World[] }) => void;
}

const CHANGES_ENTRIES = new Set(['rename', 'renameat', 'renameat2', 'unlink', 'unlinkat']);

/**
 * Judges every state of every point by what had been told until then, and collects the distinct ones for a boot. From
 * the moment the request may have left until the server has said that it knows the device, both may be true.
 * @param maxViolations a broken build breaks everywhere: who has seen so many has seen enough
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

  const judge = (state: LossState, key: string, met: string): void => {
    const shown = seen.get(key) ?? factsOf(state, facts);
    seen.set(key, shown);
    for (const problem of wholenessProblems(shown)) violations.add(`${met}: ${problem}`);
    for (const { promise, words, isKept } of told) {
      if (!isKept(shown)) violations.add(`${met}: not true any more: ${promise} (told by ${words})`);
    }
  };

  const visit = (met: string): void => {
    let first = true;
    for (const state of lossStates(disk, limits)) {
      losses += 1;
      const key = stateKey(state, limits.notes);
      judge(state, key, met);
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
    if (now.some(({ by }) => by === 'network') && !worlds.includes('registered'))
      worlds = ['unregistered', 'registered'];
    if (isToldByServer(call)) worlds = ['registered'];
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
