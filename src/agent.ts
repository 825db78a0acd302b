import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createActor, type InspectionEvent, type SnapshotFrom } from 'xstate';
import { provisionMachine } from '../machines/provision.machine.ts';
import type { FailureRecord, ProvisionContext } from '../machines/provision.types.ts';
import { atMost } from './atMost.ts';
import { type Clock, systemClock } from './clock.ts';
import { readProvisionJson, settingsDigest } from './config/provisionJson.ts';
import type { EffectDependencies } from './effects/dependencies.ts';
import { sweep } from './effects/finalize.ts';
import { createEffects } from './effects/index.ts';
import { triggerIdentity } from './effects/triggerFile.ts';
import { EXIT, Failure, toFailureRecord } from './failure.ts';
import { openLineFile } from './files/appendLimited.ts';
import { durableRemove, makeEntriesDurable } from './files/durable.ts';
import { fileExists } from './files/fileExists.ts';
import { leaveNote, removeNote } from './files/note.ts';
import { ensurePrivateFolder, folderOwner } from './files/ownFiles.ts';
import { formatJson } from './log/format.ts';
import { createLog, type Log, type LogSink, type RunPosition } from './log/log.ts';
import { readBoardIdentity } from './state/board.ts';
import { drawRunId } from './state/candidate.ts';
import { readCredentials } from './state/credentials.ts';
import { type Journal, openJournal } from './state/journal.ts';
import { acquireLock } from './state/lock.ts';
import type { DevicePaths } from './state/paths.ts';
import { isFailureCode, isFinalState, type ProvisionState, type SnapshotDocument } from './state/snapshotDocument.ts';
import { loadSnapshot } from './state/snapshotFile.ts';
import { decideStartUp, type StartUp } from './state/startUp.ts';
import { spareStream } from './thingsboard/spareStream.ts';

/** A run ends itself before systemd's TimeoutStartSec of ten minutes does (docs/operations.md). */
export const RUN_TIME_LIMIT_MS = 9 * 60 * 1000;
/** How long a durable write under way may take to finish once the agent is asked to end. */
const LAST_WRITE_MS = 2000;
/** What a run that has ended waits for the disk before it leaves the folder to itself. */
const LEAVE_MS = 500;
const MAX_EVENTS_BYTES = 256 * 1024;
/** provision.json can't change more often than this within one process without something being wrong. */
const MAX_SUPERSEDED = 3;
export const DEFAULT_KEEP_BACKUPS = 5;

/** The timers of the chart's pauses: xstate's own, or a faster one. */
interface ChartClock {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(id: unknown): void;
}

export interface AgentOptions {
  readonly paths: DevicePaths;
  readonly agentVersion: string;
  readonly sink: LogSink;
  /** Aborted: the run is interrupted, and goes on at the next start. */
  readonly signal: AbortSignal;
  readonly keepBackups?: number;
  /** THERMAL_BOARD_ID; default: read from the hardware. */
  readonly boardId?: string;
  readonly runTimeLimitMs?: number;
  readonly clock?: Clock;
  /** Default: real time. One that ends the pauses early must have `clock` run ahead as far. */
  readonly chartClock?: ChartClock;
  /** Told about every state as soon as it is entered (progress displays). */
  readonly onState?: (state: ProvisionState, context: ProvisionContext) => void;
  /** Told about everything that the chart's actors do (src/inspect/); what it is told may hold anything. */
  readonly inspect?: (event: InspectionEvent) => void;
}

export interface AgentResult {
  readonly outcome: 'nothing' | 'provisioned' | 'withdrawn' | 'failed' | 'interrupted';
  readonly exitStatus: number;
  readonly runId: string | null;
  readonly deviceName: string | null;
  readonly failure: FailureRecord | null;
}

/** What one pass works with. */
interface Pass {
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

const failed = (failure: FailureRecord, runId: string | null, deviceName: string | null = null): AgentResult => ({
  outcome: 'failed',
  exitStatus: failure.exitStatus,
  runId,
  deviceName,
  failure,
});

const ended = (
  outcome: 'nothing' | 'provisioned' | 'withdrawn' | 'interrupted',
  runId: string | null,
  deviceName: string | null,
): AgentResult => ({
  outcome,
  exitStatus: outcome === 'interrupted' ? EXIT.TEMPFAIL : EXIT.OK,
  runId,
  deviceName,
  failure: null,
});

/**
 * One pass over a device folder: begins a run, or goes on with an interrupted one, and takes it to its end. The only
 * place that creates the chart's actor. Never throws: every failure is in the result, and has been logged.
 */
export async function runAgent(options: AgentOptions): Promise<AgentResult> {
  const clock = options.clock ?? systemClock();
  const position: RunPosition = { runId: null, state: null, attempt: null };
  let sink = options.sink;
  const log = createLog((record) => sink(record), clock, position);
  try {
    await requireFolder(options.paths.deviceFolder);
    const tightened = await ensurePrivateFolder(options.paths.stateFolder);
    if (tightened) log.warn('state.tightened', `${options.paths.stateFolder} was open to others; its mode is now 700`);
    const owner = await folderOwner(options.paths.events);
    const lock = await acquireLock(options.paths.deviceFolder, options.paths.stateFolder);
    const events = openLineFile(options.paths.events, MAX_EVENTS_BYTES, { mode: 0o600, ...owner });
    sink = (record) => {
      options.sink(record);
      if (record.level !== 'debug') events.append(formatJson(record));
    };
    const unfinished = new Set<Promise<unknown>>();
    const spare = spareStream();
    try {
      await makeLeftoversDurable(options.paths);
      await leaveNote(options.paths.lock, `${process.pid}\n`);
      const board = await readBoardIdentity(options.boardId);
      const { paths, agentVersion } = options;
      const dependencies = { paths, clock, log, board, agentVersion, spare };
      return await startUp({ options, dependencies, position, log, unfinished }, 0);
    } finally {
      spare.close();
      events.close();
      // A write that is still under way may replace a file later: until then the folder is nobody else's.
      const left = Promise.allSettled(unfinished)
        .then(() => removeNote(options.paths.lock))
        .then(() => lock.release());
      await atMost(LEAVE_MS, left);
    }
  } catch (error) {
    const failure = toFailureRecord(error);
    logFailure(log, failure);
    return failed(failure, position.runId);
  }
}

/** What a killed run has left can be seen without being durable, and is acted on as if it were. */
async function makeLeftoversDurable(paths: DevicePaths): Promise<void> {
  const isInUse = (await fileExists(paths.credentials)) || (await fileExists(paths.snapshot));
  const folders = [paths.deviceFolder, dirname(paths.stateFolder), ...(isInUse ? [paths.stateFolder] : [])];
  for (const folder of new Set(folders)) await makeEntriesDurable(folder);
}

async function requireFolder(folder: string): Promise<void> {
  const stats = await stat(folder).catch((error: unknown) => {
    throw new Failure('DEVICE_FOLDER_MISSING', `The device folder ${folder} can't be used`, { cause: error });
  });
  if (!stats.isDirectory()) throw new Failure('DEVICE_FOLDER_MISSING', `The device folder ${folder} is no folder`);
}

function logFailure(log: Log, failure: FailureRecord): void {
  log.error('run.failed', `${failure.message}. ${failure.hint}`, {
    code: failure.code,
    exitStatus: failure.exitStatus,
    retryable: failure.retryable,
    causes: failure.causes,
  });
}

/** Decides from the files what is to be done, and does it. @param superseded how often provision.json has changed */
async function startUp(pass: Pass, superseded: number): Promise<AgentResult> {
  const { dependencies, log } = pass;
  const { paths, clock, board } = dependencies;
  const trigger = await triggerIdentity(paths.provisionTxt);
  const credentials = await readCredentials(paths.credentials, log, clock.now());
  const snapshot = await loadSnapshot(paths.snapshot, log, clock.now());
  const decision = decideStartUp({ trigger, credentials, snapshot, board });
  const result = await follow(pass, decision, snapshot);
  if (result !== 'superseded') return result;
  if (superseded + 1 >= MAX_SUPERSEDED) {
    throw new Failure('SETTINGS_CHANGED', `provision.json changed ${MAX_SUPERSEDED} times during the run`, {
      hint: 'Leave provision.json alone while the agent runs; the next boot begins with what it says then.',
    });
  }
  return startUp(pass, superseded + 1);
}

async function follow(
  pass: Pass,
  decision: StartUp,
  previous: SnapshotDocument | undefined,
): Promise<AgentResult | 'superseded'> {
  const { dependencies, log, options, position } = pass;
  switch (decision.kind) {
    case 'nothing':
      log.info('run.nothing', 'No provision.txt: nothing to do');
      return ended('nothing', null, null);
    case 'sweep': {
      position.runId = decision.snapshot.runId;
      await sweep(dependencies, options.keepBackups ?? DEFAULT_KEEP_BACKUPS);
      if (decision.afterwards === 'new') return run(pass, previous, { why: 'provision.txt asks again' });
      log.info('run.swept', 'The last step of a finished run was made up for');
      return ended('provisioned', decision.snapshot.runId, decision.snapshot.context.deviceName);
    }
    case 'new':
      return run(pass, previous, { why: decision.why });
    case 'resume':
      return run(pass, previous, { from: decision.snapshot, state: decision.snapshot.state });
    case 'finish':
      return run(pass, previous, { from: decision.snapshot, state: 'finalize' });
    case 'withdrawn':
      return run(pass, previous, { why: 'provision.txt is gone', runId: decision.snapshot?.runId });
  }
}

type Beginning =
  | { readonly why: string; readonly runId?: string | undefined }
  | { readonly from: SnapshotDocument; readonly state: ProvisionState };

/** Runs the chart to a final state, or until the signal. */
async function run(
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
  const timers = {
    ...(options.chartClock === undefined ? {} : { clock: options.chartClock }),
    ...(options.inspect === undefined ? {} : { inspect: options.inspect }),
  };
  const actor = resuming
    ? createActor(machine, {
        ...timers,
        input,
        snapshot: machine.resolveState({ value: beginning.state, context: { ...beginning.from.context, error: null } }),
      })
    : createActor(machine, { ...timers, input });
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
        const digest = await currentDigest(paths.provisionJson);
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
async function currentDigest(path: string): Promise<string | null> {
  return readProvisionJson(path).then(
    ({ settings }) => settingsDigest(settings),
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
      await sweep(dependencies, options.keepBackups ?? DEFAULT_KEEP_BACKUPS).catch((error: unknown) => {
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

/** Whether this run drew a name, and the server can't know it. A name taken up from an earlier run may be known. */
const nothingHasLeft = (context: ProvisionContext): boolean =>
  context.deviceName !== null && context.granted === null && context.nameIndex === 1 && context.requestsOut === 0;

/** The chart's failure; its code is one of the catalogue's, or the chart has a defect. */
function publicFailure(error: FailureRecord | null): FailureRecord {
  if (error !== null && isFailureCode(error.code)) return error;
  return toFailureRecord(new Error(`the chart failed with the code ${error?.code ?? 'none'}`));
}
