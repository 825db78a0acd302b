import { type Call, changes } from '../straceCalls.ts';
import { type CountedScenario, runTrials, type ScopeName, type Trial } from '../straceTrials.ts';
import type { Suite } from '../suite.ts';

/** The scenarios whose every call is tried. The other scenarios share most of their calls with them. */
const LITERAL: ReadonlySet<string> = new Set(['fresh', 'configured']);

/** Whether neither the disk nor the server has changed since the previous call: a kill leaves the same state. */
const leavesTheSame = (call: Call, before: Call | undefined): boolean =>
  before !== undefined && !changes(call) && !changes(before);

/** One trial for each call: the process is killed before the call. */
export function trialsOf({ scenario, calls }: CountedScenario, full: boolean): readonly Trial[] {
  const literal = full || LITERAL.has(scenario.name);
  const disk = calls.disk.filter((call, index) => literal || !leavesTheSame(call, calls.disk[index - 1]));
  const events = full || scenario.name === 'configured' ? calls.events : [];
  const trial = (scope: ScopeName) => (call: Call) => ({
    scenario,
    scope,
    call,
    effect: 'kill' as const,
    lasting: false,
  });
  return [...disk.map(trial('disk')), ...events.map(trial('events'))];
}

/**
 * SIGKILL before every file-system call of a run; then the agent starts again. `close` is omitted: the disk is the same
 * before the next call. In the scenarios resume, finish and clean-up a resumed run is killed. The server changes only
 * between two calls that change the disk, so a normal run tries a sequence of reading calls only at its first call and
 * after its last one. Credentials other than a drawn access token share most calls with it: a normal run tries a sample.
 */
export const killAtEveryCall: Suite = {
  name: 'kill-at-every-call',
  shows:
    'after a kill before any file-system call, the next boot ends with one device and a complete configuration; with MQTT_BASIC, X.509 and a derived token before a sample of the calls (each fifth or tenth, and each on their own files), also when the card is lost with the kill and only the board secret remains',
  run: (options) => runTrials(options, trialsOf),
};
