import { type Call, changes } from '../straceCalls.ts';
import { type CountedScenario, runTrials, type ScopeName, type Trial } from '../straceTrials.ts';
import type { Suite } from '../suite.ts';

/** These begin every run: all their calls are tried; the others share most of theirs with them. */
const LITERAL: ReadonlySet<string> = new Set(['fresh', 'configured']);

/** Neither the disk nor the server has changed since the call before: what a kill leaves is the same. */
const leavesTheSame = (call: Call, before: Call | undefined): boolean =>
  before !== undefined && !changes(call) && !changes(before);

/** One trial for each call: the process is gone before the call is made. */
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
 * SIGKILL before every single file-system call of a run; then the agent starts again. `close` is left out: the disk is
 * the same before the next call. A run that was cut before is cut again in the scenarios resume, finish and sweep. The
 * server changes only between a call that changes the disk and the next one that does, so in an ordinary run a
 * sequence of calls that only look is tried at its first and behind its last.
 */
export const killAtEveryCall: Suite = {
  name: 'kill-at-every-call',
  shows: 'killed before any file-system call, the next boot ends with one device and a whole configuration',
  run: (options) => runTrials(options, trialsOf),
};
