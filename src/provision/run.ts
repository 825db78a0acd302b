import { createActor, type SnapshotFrom } from 'xstate';
import { provisionMachine } from '../../machines/provision.machine.ts';
import type { FailureRecord, ProvisionContext } from '../../machines/provision.types.ts';
import { readPublicSettings } from '../config/provision/provisionJson.ts';
import { drawRunId } from '../device/candidate.ts';
import { triggerIdentity } from '../device/trigger.ts';
import type { EffectDependencies } from '../effects/dependencies.ts';
import { type SweepInput, sweep } from '../effects/finalize.ts';
import { createEffects } from '../effects/index.ts';
import { Failure, toFailureRecord } from '../failures/failure.ts';
import { durableRemove } from '../files/durable.ts';
import type { Log, RunPosition } from '../log/log.ts';
import { isFailureCode, isFinalState, type ProvisionState, type SnapshotDocument } from '../state/snapshotDocument.ts';
import { atMost } from '../time/within.ts';
import type { AgentOptions } from './agent.ts';
import { DEFAULT_KEEP_BACKUPS } from './defaults.ts';
import { type AgentResult, ended, failed, logFailure } from './result.ts';
import { type Journal, openJournal } from './snapshotWriter.ts';

/** A run ends itself before systemd's TimeoutStartSec of ten minutes does (docs/operations.md). */
export const RUN_TIME_LIMIT_MS = 9 * 60 * 1000;
/** How long a durable write under way may take to finish once the agent is asked to end, or has failed. */
const LAST_WRITE_MS = 2000;

/** What one pass works with. */
export interface Pass {
  readonly options: AgentOptions;
  readonly dependencies: EffectDependencies;
  readonly position: RunPosition;
  readonly log: Log;
  /** Reading of `clock.monotonic()` at which all runs of the pass together have had their time. */
  readonly deadline: number;
  /** What a stuck disk may not let go before the run ends. */
  readonly unfinished: Set<Promise<unknown>>;
}

/** A pass while one of its runs is under way. */
interface RunningPass extends Pass {
  /** Resolves with the signal. One listener serves a whole run: an embedding program may give many runs one signal. */
  readonly interrupted: Promise<'interrupted'>;
}

type ProvisionSnapshot = SnapshotFrom<typeof provisionMachine>;

/** `route` is left in the same step in which it is entered, so no snapshot ever shows it. */
function stateOf(snapshot: ProvisionSnapshot): ProvisionState {
  if (snapshot.value === 'route') throw new Error('the chart rests in its transient state');
  return snapshot.value;
}

type Beginning =
  | { readonly why: string; readonly runId?: string | undefined }
  | { readonly from: SnapshotDocument; readonly state: ProvisionState };

/**
 * Runs the chart to a final state, or until the signal or the time limit. The only place that creates its actor.
 * @param previous the snapshot that lies there, of whatever run
 * @returns `superseded`: provision.json was changed, and a new run has to begin
 */
export async function run(
  pass: Pass,
  previous: SnapshotDocument | undefined,
  beginning: Beginning,
): Promise<AgentResult | 'superseded'> {
  const { options, dependencies, position, log } = pass;
  const { clock, paths, agentVersion } = dependencies;
  const startedAt = clock.monotonic();
  const journal = openJournal({ path: paths.snapshot, clock, agentVersion, previous });
  const effects = createEffects(dependencies, journal);
  const machine = provisionMachine.provide({ actors: effects.actors });
  const resuming = 'from' in beginning;
  const runId = resuming ? beginning.from.runId : (beginning.runId ?? drawRunId());
  const input = { runId, at: clock.now() };
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
    log.info('run.resumed', `Goes on with run ${runId} where it stopped: ${beginning.state}`, {
      from: beginning.state,
    });
  } else {
    log.info('run.started', `Run ${runId} begins: ${beginning.why}`, { agentVersion });
  }

  // A restored actor emits the old state once before RESUME: that is no entry.
  let resumePending = false;
  let quiet = resuming;
  const final = new Promise<ProvisionSnapshot>((resolve, reject) => {
    actor.subscribe({
      next: (snapshot) => {
        if (quiet) return;
        enter(pass, journal, stateOf(snapshot), snapshot.context, resumePending);
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
  const comeToRest = (): Promise<void> => {
    ending ??= quiesce(pass, journal, actor, effects.settled);
    return ending;
  };
  let timeLimit: NodeJS.Timeout | undefined;
  try {
    if (options.signal.aborted) interrupt();
    else {
      actor.start();
      if (resuming) {
        const trigger = await triggerIdentity(paths.provisionTxt);
        const digest = await currentDigest(dependencies);
        quiet = false;
        resumePending = true;
        actor.send({ type: 'RESUME', at: clock.now(), trigger, settingsDigest: digest });
      }
    }
    // Not before RESUME: what the chart does earlier goes unseen.
    timeLimit = setTimeout(() => {
      actor.send({ type: 'TIME_UP', at: clock.now() });
    }, timeLeft(pass));
    const end = await Promise.race([final, interrupted]);
    const result = end === 'interrupted' ? end : await conclude({ ...pass, interrupted }, journal, end, startedAt);
    if (result !== 'interrupted') return result;
    // An interruption is no failure: what is durable now is where the next start goes on.
    await comeToRest();
    log.warn('run.interrupted', 'Interrupted; the next start goes on from here');
    return ended('interrupted', position.runId, null);
  } finally {
    clearTimeout(timeLimit);
    options.signal.removeEventListener('abort', interrupt);
    await comeToRest();
  }
}

/** Digest of provision.json as it is now; null when it can't be read, which the next effect will report. */
async function currentDigest({ paths, elsewhere }: EffectDependencies): Promise<string | null> {
  return readPublicSettings(paths.provisionJson, elsewhere).then(
    ({ digest }) => digest ?? null,
    () => null,
  );
}

function enter(
  { options, position, log }: Pass,
  journal: Journal,
  state: ProvisionState,
  context: ProvisionContext,
  resumed: boolean,
): void {
  position.state = state;
  position.attempt = context.retries + 1;
  if (state === 'notRequested') return;
  journal.record(state, context, resumed);
  options.onState?.(state, context);
  if (state === 'backoff' && context.retryAt !== null) {
    const ms = Math.max(0, context.retryAt - context.now);
    const why =
      context.waitingFor === 'retry' && context.lastFailure !== null ? `: ${context.lastFailure.message}` : '';
    const code = context.waitingFor === 'retry' ? context.lastFailure?.code : undefined;
    log.warn('backoff.waiting', `Waits ${ms / 1000} s before the next ${context.waitingFor}${why}`, { ms, code });
    return;
  }
  if (!isFinalState(state)) log.info('state.entered', `${state}${resumed ? ' (resumed)' : ''}`);
}

/**
 * Stops the chart and lets what is being written get done, within a limit: after it nothing of the run touches the
 * disk but what a stuck one has not let go, and the lock is held until that is done, too. An actor that is stopped does
 * not wait for its effects.
 */
async function quiesce(
  { unfinished }: Pass,
  journal: Journal,
  actor: { stop(): void },
  settled: () => Promise<void>,
): Promise<void> {
  const closing = journal.close();
  actor.stop();
  const rest = Promise.all([closing.then(() => journal.idle()), settled()]);
  unfinished.add(rest);
  await atMost(LAST_WRITE_MS, rest);
}

const timeLeft = ({ deadline, dependencies }: Pass): number => Math.max(0, deadline - dependencies.clock.monotonic());

type Waited = 'done' | 'interrupted' | 'late';

/**
 * Waits for the disk until the signal or the limit ends the wait. What is left behind goes on, and the folder stays
 * locked until it is done.
 * @param ms the longest wait
 * @throws what the work throws, when it does so in time
 */
async function waitFor({ unfinished, interrupted }: RunningPass, ms: number, work: Promise<unknown>): Promise<Waited> {
  unfinished.add(work);
  let giveUp = (): void => {};
  const late = new Promise<Waited>((resolve) => {
    giveUp = () => resolve('late');
  });
  const limit = setTimeout(giveUp, ms);
  try {
    return await Promise.race([work.then((): Waited => 'done'), interrupted, late]);
  } finally {
    clearTimeout(limit);
  }
}

/** A run that comes to its end in the last moment has the time for its last writes all the same. */
const timeToConclude = (pass: Pass): number => Math.max(LAST_WRITE_MS, timeLeft(pass));

/**
 * Saves the final state. Until that is done the run has not ended: the next start goes on from the state before.
 * @throws Failure RUN_TIME_LIMIT; those of Journal.durable
 */
async function saveEnd(pass: RunningPass, journal: Journal, state: ProvisionState): Promise<'done' | 'interrupted'> {
  const waited = await waitFor(pass, timeToConclude(pass), journal.durable());
  if (waited !== 'late') return waited;
  throw new Failure('RUN_TIME_LIMIT', `The run came to ${state}, but the storage took too long to save that`, {
    hint: 'Check the storage (df, dmesg); the next boot goes on from what it holds.',
  });
}

async function conclude(
  pass: RunningPass,
  journal: Journal,
  snapshot: ProvisionSnapshot,
  startedAt: number,
): Promise<AgentResult | 'superseded' | 'interrupted'> {
  const { context } = snapshot;
  const state = stateOf(snapshot);
  switch (state) {
    case 'failed':
      return concludeFailed(pass, journal, context);
    case 'provisioned':
    case 'superseded':
    case 'withdrawn': {
      const saved = await saveEnd(pass, journal, state);
      return saved === 'done' ? concludeSaved(pass, state, context, startedAt) : saved;
    }
    default:
      pass.log.info('run.nothing', 'No provision.txt: nothing to do');
      return ended('nothing', context.runId, null);
  }
}

async function concludeSaved(
  pass: RunningPass,
  state: 'provisioned' | 'superseded' | 'withdrawn',
  context: ProvisionContext,
  startedAt: number,
): Promise<AgentResult | 'superseded'> {
  const { log } = pass;
  switch (state) {
    case 'provisioned':
      return concludeProvisioned(pass, context, startedAt);
    case 'superseded':
      log.warn('run.superseded', 'provision.json was changed; a new run begins with the new settings');
      return 'superseded';
    case 'withdrawn':
      log.warn('run.withdrawn', context.warnings.at(-1) ?? 'provision.txt was removed before the run had ended');
      return ended('withdrawn', context.runId, deviceOf(context));
  }
}

const deviceOf = ({ granted, deviceName }: ProvisionContext): string | null => granted?.deviceName ?? deviceName;

async function concludeProvisioned(
  pass: RunningPass,
  context: ProvisionContext,
  startedAt: number,
): Promise<AgentResult> {
  const { dependencies, log } = pass;
  const device = deviceOf(context);
  await sweepUp(pass, context);
  const seconds = Math.round((dependencies.clock.monotonic() - startedAt) / 100) / 10;
  const server = context.settings?.server;
  log.info('run.provisioned', `Provisioned as ${device}; thermal_config.json holds the new credentials`, {
    deviceName: device,
    server: server === undefined ? null : `${server.host}:${server.port}`,
    token: context.granted?.fingerprint,
    backup: context.backup,
    seconds,
  });
  if (context.previousDeviceId !== null && context.previousDeviceId !== device) {
    const former = context.previousDeviceId;
    log.info('device.former', `The former device ${former} is used no more; delete it on the server`, { former });
  }
  return ended('provisioned', context.runId, device);
}

/** The run is provisioned for good by now: what the sweep does not come to, whyever, is no reason to say otherwise. */
async function sweepUp(pass: RunningPass, context: ProvisionContext): Promise<void> {
  const { dependencies, log, options } = pass;
  const left = (why: string): void => log.warn('credentials.left', `${why}; the next start removes it`);
  let swept = false;
  const sweeping = sweep(dependencies, sweepOf(options, context)).then(() => {
    swept = true;
  });
  try {
    const waited = await waitFor(pass, timeToConclude(pass), sweeping);
    // Nothing else is being written by now, so the time for the last write is all its own.
    if (waited === 'interrupted') await atMost(LAST_WRITE_MS, sweeping);
    if (!swept) left('The storage took too long to remove credentials.json');
  } catch (error) {
    left(toFailureRecord(error).message);
  }
}

async function concludeFailed(pass: RunningPass, journal: Journal, context: ProvisionContext): Promise<AgentResult> {
  const { dependencies, log } = pass;
  const failure = publicFailure(context.error);
  const waited = await saveFailed(pass, journal);
  // A disk that is stuck would not remove the file either, and one that is left is asked after by the next run.
  if (waited === 'done' && nothingHasLeft(context)) {
    // What was drawn was never shown to anybody: the next run needs neither ask after it nor warn of it.
    const removed = durableRemove(dependencies.paths.credentials).catch(() => {});
    await waitFor(pass, LAST_WRITE_MS, removed);
  }
  logFailure(log, failure);
  return failed(failure, context.runId, deviceOf(context));
}

/** The failure is to be reported whether or not it can be saved: the next start then goes on from the state before. */
async function saveFailed(pass: RunningPass, journal: Journal): Promise<Waited> {
  const unsaved = (why: string): void =>
    pass.log.warn('snapshot.unsaved', `The failed state could not be saved: ${why}`);
  try {
    const waited = await waitFor(pass, LAST_WRITE_MS, journal.durable());
    if (waited === 'late') unsaved('the storage took too long');
    return waited;
  } catch (error) {
    unsaved(toFailureRecord(error).message);
    return 'done';
  }
}

export const sweepOf = (
  { keepBackups = DEFAULT_KEEP_BACKUPS }: AgentOptions,
  { settings }: ProvisionContext,
): SweepInput => ({
  keepBackups,
  settingsDigest: settings?.digest ?? null,
});

/** Whether this run drew a name, and the server can't know it. A name taken up from an earlier run may be known. */
const nothingHasLeft = (context: ProvisionContext): boolean =>
  context.deviceName !== null && context.granted === null && context.nameIndex === 1 && context.requestsOut === 0;

/** The chart's failure; its code is one of the catalogue's, or the chart has a defect. */
function publicFailure(error: FailureRecord | null): FailureRecord {
  if (error !== null && isFailureCode(error.code)) return error;
  return toFailureRecord(new Error(`the chart failed with the code ${error?.code ?? 'none'}`));
}
