import type { Errno } from '../strace.ts';
import { type Call, changes, errorsOf } from '../straceCalls.ts';
import { type CountedScenario, runTrials, type ScopeName, type Trial } from '../straceTrials.ts';
import type { Suite } from '../suite.ts';

/** A full disk and a broken disk. Only --full tries the other errors. */
const USUAL: readonly Errno[] = ['ENOSPC', 'EIO'];
/** Errors of calls that create files. With such a lasting error, files can still be opened for reading. */
const OF_NEW_NAMES: readonly Errno[] = ['ENOSPC', 'EDQUOT', 'EROFS'];

/** Scenarios whose reading calls a normal run tries. The other scenarios have no additional ones. */
const READS_TRIED: ReadonlySet<string> = new Set([
  'configured',
  'resume',
  'finish',
  'clean-up',
  'X.509',
  'derived token',
]);

/** The trials of a normal run: each call with EIO once, each change with a disk that stays full or broken. */
function isInNormalRun({ scenario, scope, call, effect, lasting }: Trial): boolean {
  const configured = scenario.name === 'configured';
  if (effect !== 'EIO' && effect !== 'ENOSPC') return false;
  if (scope === 'boot') return configured;
  if (scope === 'events') return configured && effect === 'EIO' && !lasting;
  if (configured) return !lasting || changes(call);
  if (effect === 'EIO') return !lasting && (changes(call) || READS_TRIED.has(scenario.name));
  return lasting && scenario.name !== 'reconcile';
}

export function trialsOf({ scenario, calls }: CountedScenario, full: boolean): readonly Trial[] {
  const trials = (scope: ScopeName, call: Call, errors: readonly Errno[]): readonly Trial[] =>
    errors.flatMap((effect) => [false, true].map((lasting) => ({ scenario, scope, call, effect, lasting })));
  const errors = (call: Call): readonly Errno[] => errorsOf(call).filter((errno) => full || USUAL.includes(errno));
  const reopened = (call: Call, errno: Errno): boolean => call.creates && OF_NEW_NAMES.includes(errno);
  const all = [
    // Counted separately, so that a lasting fault strikes only calls that can return this error.
    ...calls.created
      .filter(({ creates }) => creates)
      .flatMap((call) =>
        trials(
          'created',
          call,
          errors(call).filter((errno) => reopened(call, errno)),
        ),
      ),
    ...(['disk', 'events', 'boot'] as const).flatMap((scope) =>
      calls[scope].flatMap((call) =>
        trials(
          scope,
          call,
          errors(call).filter((errno) => scope === 'events' || !reopened(call, errno)),
        ),
      ),
    ),
  ];
  return full ? all : all.filter(isInNormalRun);
}

/**
 * Every file-system call fails, once or from then on, with the errors that it can return. Then the disk works again and
 * the agent starts again. `close` is omitted: Node ends with an assertion when it fails.
 */
export const errorAtEveryCall: Suite = {
  name: 'error-at-every-call',
  shows:
    'when any file-system call fails, the run ends as documented and the next boot completes with one device; with MQTT_BASIC, X.509 and a derived token the same sample of calls as above',
  run: (options) => runTrials(options, trialsOf),
};
