import { createActor, type SnapshotFrom } from 'xstate';
import { provisionMachine } from '../machines/provision.machine.ts';
import type { FailureRecord, ProvisionContext } from '../machines/provision.types.ts';
import type { AgentOptions } from './agent.ts';
import { type AgentResult, ended, failed, logFailure } from './agentResult.ts';
import { atMost } from './atMost.ts';
import { readPublicSettings } from './config/provisionJson.ts';
import { DEFAULT_KEEP_BACKUPS } from './defaults.ts';
import type { EffectDependencies } from './effects/dependencies.ts';
import { type SweepInput, sweep } from './effects/finalize.ts';
import { createEffects } from './effects/index.ts';
import { triggerIdentity } from './effects/triggerFile.ts';
import { toFailureRecord } from './failure.ts';
import { durableRemove } from './files/durable.ts';
import type { Log, RunPosition } from './log/log.ts';
import { drawRunId } from './state/candidate.ts';
import { type Journal, openJournal } from './state/journal.ts';
import { isFailureCode, isFinalState, type ProvisionState, type SnapshotDocument } from './state/snapshotDocument.ts';

/** A run ends itself before systemd's TimeoutStartSec of ten minutes does (docs/operations.md). */
export const RUN_TIME_LIMIT_MS = 9 * 60 * 1000;
/** How long a durable write under way may take to finish once the agent is asked to end. */
const LAST_WRITE_MS = 2000;
/** What one pass works with. */
export interface Pass {
  readonly options: AgentOptions;
  readonly dependencies: EffectDependencies;
  readonly position: RunPosition;
  readonly log: Log;
  /** What a stuck disk may not let go before the run ends. */
  readonly unfinished: Set<Promise<unknown>>;
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
  const timeLimit = setTimeout(() => {
    actor.send({ type: 'TIME_UP', at: clock.now() });
  }, options.runTimeLimitMs ?? RUN_TIME_LIMIT_MS);
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
    const end = await Promise.race([final, interrupted]);
    if (end !== 'interrupted') return await conclude(pass, journal, end, startedAt);
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

async function conclude(
  pass: Pass,
  journal: Journal,
  snapshot: ProvisionSnapshot,
  startedAt: number,
): Promise<AgentResult | 'superseded'> {
  const { dependencies, log, options } = pass;
  const { context } = snapshot;
  const state = stateOf(snapshot);
  const device = context.granted?.deviceName ?? context.deviceName;
  switch (state) {
    case 'provisioned': {
      await journal.durable();
      await sweep(dependencies, sweepOf(options, context)).catch((error: unknown) => {
        const { message } = toFailureRecord(error);
        log.warn('credentials.left', `${message}; the next start removes it`);
      });
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
    case 'failed': {
      const failure = publicFailure(context.error);
      await journal.durable().catch((error: unknown) => {
        log.warn('snapshot.unsaved', `The failed state could not be saved: ${toFailureRecord(error).message}`);
      });
      if (nothingHasLeft(context)) {
        // What was drawn was never shown to anybody: the next run needs neither ask after it nor warn of it.
        await durableRemove(dependencies.paths.credentials).catch(() => {});
      }
      logFailure(log, failure);
      return failed(failure, context.runId, device);
    }
    case 'superseded':
      await journal.durable();
      log.warn('run.superseded', 'provision.json was changed; a new run begins with the new settings');
      return 'superseded';
    case 'withdrawn':
      await journal.durable();
      log.warn('run.withdrawn', context.warnings.at(-1) ?? 'provision.txt was removed before the run had ended');
      return ended('withdrawn', context.runId, device);
    default:
      log.info('run.nothing', 'No provision.txt: nothing to do');
      return ended('nothing', context.runId, null);
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
