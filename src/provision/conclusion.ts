import type { SnapshotFrom } from 'xstate';
import type { provisionMachine } from '../../machines/provision.machine.ts';
import type { ProvisionState } from '../../machines/provision.states.ts';
import type { FailureRecord, ProvisionContext } from '../../machines/provision.types.ts';
import { nothingHere } from '../device/nearMisses.ts';
import { hostAndPort } from '../endpoint.ts';
import { isFailureCode } from '../failures/catalogue.ts';
import { Failure, toFailureRecord, wordedFailure } from '../failures/failure.ts';
import { durableRemove } from '../files/durable.ts';
import { LATE, within } from '../time/within.ts';
import { cleanUp, cleanUpOf } from './cleanUp.ts';
import type { Pass } from './pass.ts';
import { type AgentResult, ended, failed, logFailure } from './result.ts';
import type { SnapshotWriter } from './snapshotWriter.ts';

/** The end of a run: saves the final state, cleans up, and reports the result. */

/** Time for unfinished writes once the run is interrupted or has failed. */
const LAST_WRITE_MS = 2000;

/** A pass during one of its runs. */
export interface RunningPass extends Pass {
  /** Resolves when the signal is aborted. One listener for each run: many runs may share a signal. */
  readonly interrupted: Promise<'interrupted'>;
}

export type ProvisionSnapshot = SnapshotFrom<typeof provisionMachine>;

/** The chart enters and leaves `route` in one step, so no snapshot ever shows it. */
export function stateOf(snapshot: ProvisionSnapshot): ProvisionState {
  if (snapshot.value === 'route') throw new Error('the chart stopped in its transient state route');
  return snapshot.value;
}

/**
 * Stops the chart and waits, within a limit, for its effects and writes: a stopped actor does not wait for them. Writes
 * that take longer stay in `unfinished`, and the lock is held until they end.
 */
export async function stopRun(
  { unfinished }: Pass,
  writer: SnapshotWriter,
  actor: { stop(): void },
  settled: () => Promise<void>,
): Promise<void> {
  const closing = writer.close();
  actor.stop();
  const rest = Promise.all([closing.then(() => writer.idle()), settled()]);
  unfinished.add(rest);
  await within(LAST_WRITE_MS, rest);
}

/** Time that is left to all runs of the pass, ms. */
export const timeLeft = ({ deadline, dependencies }: Pass): number =>
  Math.max(0, deadline - dependencies.clock.monotonic());

type Waited = 'done' | 'interrupted' | typeof LATE;

/**
 * Waits for the disk until the signal or the limit ends the wait. The work is not cancelled, and the folder stays locked
 * until it ends.
 * @param ms the longest wait
 * @throws the error of the work, if it fails in time
 */
function waitFor({ unfinished, interrupted }: RunningPass, ms: number, work: Promise<unknown>): Promise<Waited> {
  unfinished.add(work);
  return within(ms, Promise.race([work.then(() => 'done' as const), interrupted]));
}

/** A run that ends close to its deadline still has time for its last writes. */
const timeToConclude = (pass: Pass): number => Math.max(LAST_WRITE_MS, timeLeft(pass));

/**
 * Saves the final state. If that fails, the next start resumes from the state before.
 * @throws Failure RUN_TIME_LIMIT; those of SnapshotWriter.durable
 */
async function saveEnd(
  pass: RunningPass,
  writer: SnapshotWriter,
  state: ProvisionState,
): Promise<'done' | 'interrupted'> {
  const waited = await waitFor(pass, timeToConclude(pass), writer.durable());
  if (waited !== LATE) return waited;
  throw new Failure('RUN_TIME_LIMIT', 'notSaved', { state });
}

/**
 * Ends a run whose chart has reached a final state: saves that state, cleans up after a success, logs the result.
 * @param startedAt reading of the monotonic clock at the start of the run, ms
 * @returns `superseded`: provision.json has changed, so a new run must begin; `interrupted`: the state is not saved yet
 * @throws Failure RUN_TIME_LIMIT; those of SnapshotWriter.durable
 */
export async function conclude(
  pass: RunningPass,
  writer: SnapshotWriter,
  snapshot: ProvisionSnapshot,
  startedAt: number,
): Promise<AgentResult | 'superseded' | 'interrupted'> {
  const { context } = snapshot;
  const state = stateOf(snapshot);
  switch (state) {
    case 'failed':
      return concludeFailed(pass, writer, context);
    case 'provisioned':
    case 'superseded':
    case 'withdrawn': {
      const saved = await saveEnd(pass, writer, state);
      return saved === 'done' ? concludeSaved(pass, state, context, startedAt) : saved;
    }
    default:
      pass.log.info('run.nothing', await nothingHere(pass.dependencies.paths));
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
      log.warn('run.superseded', 'provision.json was changed: a new run starts with the new settings');
      return 'superseded';
    case 'withdrawn':
      log.warn('run.withdrawn', context.warnings.at(-1) ?? 'provision.txt was removed before the run ended');
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
  await cleanUpAfter(pass, context);
  const seconds = Math.round((dependencies.clock.monotonic() - startedAt) / 100) / 10;
  const server = context.settings?.server;
  log.info('run.provisioned', `Provisioned as ${device}; thermal_config.json holds the new credentials`, {
    deviceName: device,
    server: server === undefined ? null : hostAndPort(server),
    token: context.granted?.fingerprint,
    backup: context.backup,
    seconds,
  });
  if (context.previousDeviceId !== null && context.previousDeviceId !== device) {
    const former = context.previousDeviceId;
    log.info('device.former', `The previous device ${former} is no longer used: delete it on the server`, { former });
  }
  return ended('provisioned', context.runId, device);
}

/** Already provisioned: if the clean-up can't finish, warn and still report success. */
async function cleanUpAfter(pass: RunningPass, context: ProvisionContext): Promise<void> {
  const { dependencies, log, options } = pass;
  const left = (why: string): void => log.warn('credentials.left', `${why}; the next start removes the file`);
  let done = false;
  const cleaning = cleanUp(dependencies, cleanUpOf(options, context)).then(() => {
    done = true;
  });
  try {
    const waited = await waitFor(pass, timeToConclude(pass), cleaning);
    // An interruption still leaves the time of one last write.
    if (waited === 'interrupted') await within(LAST_WRITE_MS, cleaning);
    if (!done) left('The storage took too long to remove credentials.json');
  } catch (error) {
    left(toFailureRecord(error).message);
  }
}

async function concludeFailed(
  pass: RunningPass,
  writer: SnapshotWriter,
  context: ProvisionContext,
): Promise<AgentResult> {
  const { dependencies, log } = pass;
  const failure = publicFailure(context.error);
  const isSaved = await saveFailed(pass, writer);
  // On a stuck disk the file stays; the next run then probes for the device.
  if (isSaved && nothingSent(context)) {
    // The server never saw the generated name, so the next run must not probe for it or warn about it.
    await finish(
      pass,
      durableRemove(dependencies.paths.credentials).catch(() => {}),
    );
  }
  logFailure(log, failure);
  return failed(failure, context.runId, deviceOf(context));
}

/** Waits for a last write. The signal does not end this short wait, because the run has its result already. */
function finish({ unfinished }: Pass, work: Promise<unknown>): Promise<unknown> {
  unfinished.add(work);
  return within(LAST_WRITE_MS, work);
}

/**
 * An unsaved failure is still reported. The next start then resumes from the state before.
 * @returns whether the disk has answered
 */
async function saveFailed(pass: RunningPass, writer: SnapshotWriter): Promise<boolean> {
  const unsaved = (why: string): void =>
    pass.log.warn('snapshot.unsaved', `The failed state could not be saved: ${why}`);
  try {
    const waited = await finish(pass, writer.durable());
    if (waited === LATE) unsaved('the storage took too long');
    return waited !== LATE;
  } catch (error) {
    unsaved(toFailureRecord(error).message);
    return true;
  }
}

/** Whether this run generated a name that the server can't know. It may know a reused name. */
const nothingSent = (context: ProvisionContext): boolean =>
  context.deviceName !== null && context.granted === null && context.nameIndex === 1 && context.requestsOut === 0;

/** The chart's failure. A code that the catalogue does not have is a defect of the chart. */
function publicFailure(error: ProvisionContext['error']): FailureRecord {
  if (error !== null && isFailureCode(error.code)) return wordedFailure(error);
  return toFailureRecord(new Error(`the chart failed with the code ${error?.code ?? 'none'}`));
}
