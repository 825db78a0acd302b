import { createActor } from 'xstate';
import { provisionMachine } from '../../machines/provision.machine.ts';
import { isFinalState, type ProvisionState, STATES } from '../../machines/provision.states.ts';
import type { ProvisionContext } from '../../machines/provision.types.ts';
import { readPublicSettings } from '../config/provision/provisionJson.ts';
import { generateRunId } from '../device/candidate.ts';
import { triggerIdentity } from '../device/trigger.ts';
import type { EffectDependencies } from '../effects/dependencies.ts';
import { createEffects } from '../effects/index.ts';
import { wordedFailure } from '../failures/failure.ts';
import { failureFields } from '../log/log.ts';
import type { SnapshotDocument } from '../state/snapshotDocument.ts';
import { conclude, type ProvisionSnapshot, stateOf, stopRun, timeLeft } from './conclusion.ts';
import { strategySeenIn } from './knownStrategy.ts';
import type { Pass } from './pass.ts';
import { type AgentResult, ended } from './result.ts';
import { openSnapshotWriter, type SnapshotWriter } from './snapshotWriter.ts';
import { inTime } from './startLimit.ts';

type Beginning =
  | { readonly why: string; readonly runId?: string | undefined }
  | { readonly from: SnapshotDocument; readonly state: ProvisionState };

/**
 * Runs the chart until a final state, the signal or the time limit. The only place that creates the chart's actor.
 * @param previous the snapshot on disk, from this run or an earlier one
 * @returns `superseded`: provision.json was changed, and a new run must start
 */
export async function run(
  pass: Pass,
  previous: SnapshotDocument | undefined,
  beginning: Beginning,
): Promise<AgentResult | 'superseded'> {
  const { options, dependencies, position, log } = pass;
  const { clock, paths, agentVersion } = dependencies;
  const startedAt = clock.monotonic();
  const writer = openSnapshotWriter({ path: paths.snapshot, clock, agentVersion, previous });
  const effects = createEffects(dependencies, writer);
  const machine = provisionMachine.provide({ actors: effects.actors });
  const resuming = 'from' in beginning;
  const runId = resuming ? beginning.from.runId : (beginning.runId ?? generateRunId());
  const input = { runId, at: clock.now(), knownStrategy: strategySeenIn(previous) };
  const actorOptions = {
    ...(options.chartClock === undefined ? {} : { clock: options.chartClock }),
    ...(options.inspect === undefined ? {} : { inspect: options.inspect }),
  };
  const actor = resuming
    ? createActor(machine, {
        ...actorOptions,
        input,
        snapshot: machine.resolveState({ value: beginning.state, context: { ...beginning.from.context, error: null } }),
      })
    : createActor(machine, { ...actorOptions, input });
  Object.assign(position, { runId, state: null, attempt: null });
  if (resuming) {
    log.info('run.resumed', `Resuming run ${runId} at ${beginning.state}`, {
      from: beginning.state,
    });
  } else {
    log.info('run.started', `Starting run ${runId}: ${beginning.why}`, { agentVersion });
  }

  // A restored actor emits its old state once before RESUME. That is not an entry.
  let resumePending = false;
  let quiet = resuming;
  const final = new Promise<ProvisionSnapshot>((resolve, reject) => {
    actor.subscribe({
      next: (snapshot) => {
        if (quiet) return;
        enter(pass, writer, stateOf(snapshot), snapshot.context, resumePending);
        resumePending = false;
        if (snapshot.status === 'done') resolve(snapshot);
      },
      error: reject,
    });
  });
  let interrupt = (): void => {};
  const interrupted = new Promise<'interrupted'>((resolve) => {
    interrupt = () => resolve('interrupted');
  });
  options.signal.addEventListener('abort', interrupt, { once: true });
  let ending: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    ending ??= stopRun(pass, writer, actor, effects.settled);
    return ending;
  };
  let timeLimit: NodeJS.Timeout | undefined;
  try {
    if (options.signal.aborted) interrupt();
    else {
      actor.start();
      if (resuming) {
        const reading = Promise.all([triggerIdentity(paths.provisionTxt), currentDigest(dependencies)]);
        const [trigger, digest] = await inTime(options, reading);
        quiet = false;
        resumePending = true;
        actor.send({ type: 'RESUME', at: clock.now(), trigger, settingsDigest: digest });
      }
    }
    // Set after RESUME: the subscription ignores what the chart does earlier.
    timeLimit = setTimeout(() => {
      actor.send({ type: 'TIME_UP', at: clock.now() });
    }, timeLeft(pass));
    const end = await Promise.race([final, interrupted]);
    const result = end === 'interrupted' ? end : await conclude({ ...pass, interrupted }, writer, end, startedAt);
    if (result !== 'interrupted') return result;
    // An interruption is not a failure: the next start resumes from the durable state.
    await stop();
    log.warn('run.interrupted', 'Interrupted: the next start resumes the run');
    return ended('interrupted', position.runId, null);
  } finally {
    clearTimeout(timeLimit);
    options.signal.removeEventListener('abort', interrupt);
    await stop();
  }
}

/** Digest of the current provision.json. null: the file can't be read, and the next effect reports that. */
async function currentDigest({ paths, externalSettings }: EffectDependencies): Promise<string | null> {
  return readPublicSettings(paths.provisionJson, externalSettings).then(
    ({ digest }) => digest ?? null,
    () => null,
  );
}

function enter(
  { options, position, log }: Pass,
  writer: SnapshotWriter,
  state: ProvisionState,
  context: ProvisionContext,
  resumed: boolean,
): void {
  position.state = state;
  position.attempt = context.retries + 1;
  if (state === 'notRequested') return;
  const recorded = { ...context, error: context.error === null ? null : wordedFailure(context.error) };
  writer.record(state, recorded, resumed);
  options.onState?.(state, recorded);
  if (state === 'backoff' && context.retryAt !== null) {
    const ms = Math.max(0, context.retryAt - context.now);
    const failure = context.waitingFor === 'retry' ? context.lastFailure : null;
    const why = failure === null ? '' : `: ${failure.message}`;
    log.warn('backoff.waiting', `Waiting ${ms / 1000} s before the next ${context.waitingFor}${why}`, {
      ms,
      waitingFor: context.waitingFor,
      ...(failure === null ? {} : failureFields(failure)),
    });
    return;
  }
  if (!isFinalState(state)) log.info('state.entered', STATES[state].doing, resumed ? { resumed } : {});
}
