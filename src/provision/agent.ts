import { dirname } from 'node:path';
import { configuredLogin } from '../config/thermal/configuredLogin.ts';
import { isDevice } from '../config/thermal/credentialsSections.ts';
import { readThermalConfig } from '../config/thermal/thermalConfig.ts';
import { type BoardIdentity, readBoardIdentity } from '../device/board.ts';
import { openEventsFile } from '../device/eventsFile.ts';
import { requireDeviceFolder, requireStateFolder } from '../device/folder.ts';
import { acquireLock, type Lock } from '../device/lock.ts';
import { nothingHere } from '../device/nearMisses.ts';
import type { DevicePaths } from '../device/paths.ts';
import { createSplay } from '../device/splay.ts';
import { triggerIdentity } from '../device/trigger.ts';
import { Failure, toFailure, toFailureRecord } from '../failures/failure.ts';
import type { LineFile } from '../files/appendLimited.ts';
import { makeEntriesDurable } from '../files/durable.ts';
import { fileExists } from '../files/fileExists.ts';
import { leaveNote, removeNote } from '../files/note.ts';
import { ensurePrivateFolder } from '../files/ownFiles.ts';
import { formatJson } from '../log/format.ts';
import { createLog, type Log, type RunPosition } from '../log/log.ts';
import { type IssuedCredentials, readCredentials } from '../state/credentials.ts';
import type { SnapshotDocument } from '../state/snapshotDocument.ts';
import { loadSnapshot } from '../state/snapshotFile.ts';
import { standbyStream } from '../thingsboard/standbyStream.ts';
import { systemClock } from '../time/clock.ts';
import { within } from '../time/within.ts';
import { cleanUp, cleanUpOf } from './cleanUp.ts';
import { type AgentOptions, type Pass, RUN_TIME_LIMIT_MS } from './pass.ts';
import { type AgentResult, ended, failed, logFailure } from './result.ts';
import { run } from './run.ts';
import { inTime, StartInterrupted } from './startLimit.ts';
import { decideStartUp, type Found, isAtTheEnd, type StartUp } from './startUp.ts';

/** Longest wait for unfinished writes after a run has ended. */
const LEAVE_MS = 500;
/** Runs of one process that a change of provision.json may end. More changes mean that something is wrong. */
const MAX_SUPERSEDED = 3;

/**
 * One pass over a device folder: starts a run, or resumes an interrupted one, and completes it. Never throws: every
 * failure is logged and is in the result.
 */
export async function runAgent(options: AgentOptions): Promise<AgentResult> {
  const clock = options.clock ?? systemClock();
  const position: RunPosition = { runId: null, state: null, attempt: null };
  let sink = options.sink;
  const log = createLog((record) => sink(record), clock, position);
  try {
    const locking = lockDevice(options.paths, log);
    const lock = await inTime(options, locking).catch((error: unknown) => {
      // A lock that comes too late is not needed.
      locking.then(({ release }) => release()).catch(() => {});
      throw error;
    });
    const unfinished = new Set<Promise<unknown>>();
    const standby = standbyStream();
    let events: LineFile | undefined;
    try {
      events = await inTime(options, openEventsFile(options.paths.events));
      sink = (record) => {
        options.sink(record);
        if (record.level !== 'debug') events?.append(formatJson(record));
      };
      const board = await inTime(options, pending(unfinished, prepareFolders(options, log)));
      const { paths, externalSettings, agentVersion } = options;
      const splay = createSplay(options.splaySeconds ?? 0, board, log);
      const dependencies = { paths, externalSettings, splay, clock, log, board, agentVersion, standby };
      // One deadline for all runs of this pass: systemd's TimeoutStartSec does not restart with a second run.
      const deadline = clock.monotonic() + (options.runTimeLimitMs ?? RUN_TIME_LIMIT_MS);
      return await startUp({ options, dependencies, position, log, deadline, unfinished }, 0);
    } finally {
      standby.close();
      events?.close();
      // An unfinished write may still replace a file, so the lock is held until it ends.
      const left = Promise.allSettled(unfinished)
        .then(() => removeNote(options.paths.lock))
        .then(() => lock.release());
      await within(LEAVE_MS, left);
    }
  } catch (error) {
    if (error instanceof StartInterrupted) {
      log.warn('run.interrupted', 'Interrupted at the start: the storage does not answer');
      return ended('interrupted', position.runId, null);
    }
    const failure = toFailureRecord(error);
    logFailure(log, failure);
    return failed(failure, position.runId);
  }
}

/** Work that may outlive the start if the disk hangs: the folder stays locked until it ends. */
function pending<T>(unfinished: Set<Promise<unknown>>, work: Promise<T>): Promise<T> {
  unfinished.add(work);
  return work;
}

async function lockDevice(paths: DevicePaths, log: Log): Promise<Lock> {
  const { deviceFolder, stateFolder } = paths;
  await requireDeviceFolder(deviceFolder);
  await requireStateFolder(paths);
  const tightened = await ensurePrivateFolder(stateFolder);
  if (tightened) log.warn('state.tightened', `${stateFolder} was accessible to other users; its mode is now 700`);
  return acquireLock(deviceFolder, stateFolder);
}

async function prepareFolders({ paths, boardId }: AgentOptions, log: Log): Promise<BoardIdentity> {
  await makeLeftoversDurable(paths, log);
  await leaveNote(paths.lock, `${process.pid}\n`);
  return readBoardIdentity(boardId);
}

/** Entries that a killed run left may be visible but not durable. The next steps rely on them, so they are synced. */
async function makeLeftoversDurable(paths: DevicePaths, log: Log): Promise<void> {
  await makeEntriesDurable(paths.deviceFolder);
  const around = dirname(paths.stateFolder);
  if (around !== paths.deviceFolder) await makeStateFolderDurable(around, log);
  const isInUse = (await fileExists(paths.credentials)) || (await fileExists(paths.snapshot));
  if (isInUse) await makeEntriesDurable(paths.stateFolder);
}

/** The parent of the state folder may be closed to the agent, for example with systemd's DynamicUser=. */
async function makeStateFolderDurable(around: string, log: Log): Promise<void> {
  await makeEntriesDurable(around).catch((error: unknown) => {
    const failure = toFailure(error);
    if (failure.code !== 'FILE_NOT_PERMITTED') throw failure;
    log.warn(
      'state.unsynced',
      `${around} can't be opened for syncing: a power loss may remove a new state folder in it`,
    );
  });
}

/** Whether thermal_config.json holds the issued credentials. @throws Failure of readThermalConfig */
async function isWritten({ deviceFolder }: DevicePaths, granted: IssuedCredentials | null): Promise<boolean> {
  if (granted === null) return false;
  const { bytes } = await readThermalConfig(deviceFolder, 'read');
  return bytes !== undefined && isDevice(bytes, granted.deviceName, configuredLogin(granted.credentials));
}

/** Everything that decides what this start must do. */
async function find({ dependencies, log }: Pass): Promise<Found> {
  const { paths, clock, board } = dependencies;
  const trigger = await triggerIdentity(paths.provisionTxt);
  const credentials = await readCredentials(paths.credentials, log, clock.now());
  const snapshot = await loadSnapshot(paths.snapshot, log, clock.now());
  const written = isAtTheEnd(snapshot) && (await isWritten(paths, credentials?.granted ?? null));
  return { trigger, credentials, snapshot, board, written };
}

/** Decides from the files what to do, and does it. @param superseded how often provision.json has changed */
async function startUp(pass: Pass, superseded: number): Promise<AgentResult> {
  const found = await inTime(pass.options, pending(pass.unfinished, find(pass)));
  const result = await follow(pass, decideStartUp(found), found.snapshot);
  if (result !== 'superseded') return result;
  if (superseded + 1 >= MAX_SUPERSEDED) {
    throw new Failure('SETTINGS_CHANGED', 'tooOften', { times: MAX_SUPERSEDED });
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
      log.info('run.nothing', await nothingHere(dependencies.paths));
      return ended('nothing', null, null);
    case 'cleanUp': {
      position.runId = decision.snapshot.runId;
      const cleaning = cleanUp(dependencies, cleanUpOf(options, decision.snapshot.context));
      await inTime(options, pending(pass.unfinished, cleaning));
      if (decision.afterwards === 'new') return run(pass, previous, { why: 'provision.txt is present again' });
      log.info('run.swept', 'Completed the clean-up left over from a finished run');
      return ended('provisioned', decision.snapshot.runId, decision.snapshot.context.deviceName);
    }
    case 'new':
      return run(pass, previous, { why: decision.why });
    case 'resume':
      return run(pass, previous, { from: decision.snapshot, state: decision.snapshot.state });
    case 'rewrite':
      log.warn('config.replaced', 'thermal_config.json was replaced before the run ended: writing it again');
      // The credentials may be old by now, so they are tested again. The new configuration gets its own backup.
      return run(pass, previous, { from: decision.snapshot, state: 'verifyCredentials' });
    case 'finish':
      return run(pass, previous, { from: decision.snapshot, state: 'finalize' });
    case 'withdrawn':
      return run(pass, previous, { why: 'provision.txt was removed', runId: decision.snapshot?.runId });
  }
}
