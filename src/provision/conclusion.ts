import type { SnapshotFrom } from 'xstate';
import type { provisionMachine } from '../../machines/provision.machine.ts';
import type { ProvisionState } from '../../machines/provision.states.ts';
import type { FailureRecord, ProvisionContext } from '../../machines/provision.types.ts';
import { hostAndPort } from '../endpoint.ts';
import { isFailureCode } from '../failures/catalogue.ts';
import { Failure, toFailureRecord, wordedFailure } from '../failures/failure.ts';
import { durableRemove } from '../files/durable.ts';
import { LATE, within } from '../time/within.ts';
import { cleanUp, cleanUpOf } from './cleanUp.ts';
import type { Pass } from './pass.ts';
import { type AgentResult, ended, failed, logFailure } from './result.ts';
import type { SnapshotWriter } from './snapshotWriter.ts';

/** What ends a run, and what is done then: the final state is saved, cleaned up after, and reported. */

/** How long a durable write under way may take to finish once the agent is asked to end, or has failed. */
const LAST_WRITE_MS = 2000;

/** A pass while one of its runs is under way. */
export interface RunningPass extends Pass {
  /** Resolves with the signal. One listener serves a whole run: an embedding program may give many runs one signal. */
  readonly interrupted: Promise<'interrupted'>;
}

export type ProvisionSnapshot = SnapshotFrom<typeof provisionMachine>;

/** `route` is left in the same step in which it is entered, so no snapshot ever shows it. */
export function stateOf(snapshot: ProvisionSnapshot): ProvisionState {
  if (snapshot.value === 'route') throw new Error('the chart rests in its transient state');
  return snapshot.value;
}

/**
 * Stops the chart and lets what is being written get done, within a limit: after it nothing of the run touches the
 * disk but what a stuck one has not let go, and the lock is held until that is done, too. An actor that is stopped does
 * not wait for its effects.
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

export const timeLeft = ({ deadline, dependencies }: Pass): number =>
  Math.max(0, deadline - dependencies.clock.monotonic());

type Waited = 'done' | 'interrupted' | typeof LATE;

/**
 * Waits for the disk until the signal or the limit ends the wait. What is left behind goes on, and the folder stays
 * locked until it is done.
 * @param ms the longest wait
 * @throws what the work throws, when it does so in time
 */
function waitFor({ unfinished, interrupted }: RunningPass, ms: number, work: Promise<unknown>): Promise<Waited> {
  unfinished.add(work);
  return within(ms, Promise.race([work.then(() => 'done' as const), interrupted]));
}

/** A run that comes to its end in the last moment has the time for its last writes all the same. */
const timeToConclude = (pass: Pass): number => Math.max(LAST_WRITE_MS, timeLeft(pass));

/**
 * Saves the final state. Until that is done the run has not ended: the next start goes on from the state before.
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
    log.info('device.former', `The former device ${former} is used no more; delete it on the server`, { former });
  }
  return ended('provisioned', context.runId, device);
}

/** The run is provisioned for good by now: what the sweep does not come to, whyever, is no reason to say otherwise. */
async function cleanUpAfter(pass: RunningPass, context: ProvisionContext): Promise<void> {
  const { dependencies, log, options } = pass;
  const left = (why: string): void => log.warn('credentials.left', `${why}; the next start removes it`);
  let swept = false;
  const sweeping = cleanUp(dependencies, cleanUpOf(options, context)).then(() => {
    swept = true;
  });
  try {
    const waited = await waitFor(pass, timeToConclude(pass), sweeping);
    // Nothing else is being written by now, so the time for the last write is all its own.
    if (waited === 'interrupted') await within(LAST_WRITE_MS, sweeping);
    if (!swept) left('The storage took too long to remove credentials.json');
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
  const waited = await saveFailed(pass, writer);
  // A disk that is stuck would not remove the file either, and one that is left is asked after by the next run.
  if (waited === 'done' && nothingSent(context)) {
    // What was drawn was never shown to anybody: the next run needs neither ask after it nor warn of it.
    const removed = durableRemove(dependencies.paths.credentials).catch(() => {});
    await waitFor(pass, LAST_WRITE_MS, removed);
  }
  logFailure(log, failure);
  return failed(failure, context.runId, deviceOf(context));
}

/** The failure is to be reported whether or not it can be saved: the next start then goes on from the state before. */
async function saveFailed(pass: RunningPass, writer: SnapshotWriter): Promise<Waited> {
  const unsaved = (why: string): void =>
    pass.log.warn('snapshot.unsaved', `The failed state could not be saved: ${why}`);
  try {
    const waited = await waitFor(pass, LAST_WRITE_MS, writer.durable());
    if (waited === LATE) unsaved('the storage took too long');
    return waited;
  } catch (error) {
    unsaved(toFailureRecord(error).message);
    return 'done';
  }
}

/** Whether this run drew a name, and the server can't know it. A name taken up from an earlier run may be known. */
const nothingSent = (context: ProvisionContext): boolean =>
  context.deviceName !== null && context.granted === null && context.nameIndex === 1 && context.requestsOut === 0;

/** The chart's failure; its code is one of the catalogue's, or the chart has a defect. */
function publicFailure(error: ProvisionContext['error']): FailureRecord {
  if (error !== null && isFailureCode(error.code)) return wordedFailure(error);
  return toFailureRecord(new Error(`the chart failed with the code ${error?.code ?? 'none'}`));
}
