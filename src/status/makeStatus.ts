import { isFinalState, STEPS, stepOf } from '../../machines/provision.states.ts';
import { sentenceOf } from '../log/format.ts';
import type { LogRecord } from '../log/log.ts';
import { isEvent } from '../log/recordedEvent.ts';
import type { SnapshotDocument } from '../state/snapshotDocument.ts';
import { assess } from './assessment.ts';
import type { DeviceFiles } from './deviceFiles.ts';
import { type DeviceStatus, STATUS_EXIT, STATUS_FORMAT, STATUS_VERSION } from './deviceStatus.ts';
import { onServer } from './onServer.ts';
import { openWarnings } from './openWarnings.ts';

const MAX_EVENTS = 20;

/** A time as ISO 8601; null: out of the range of a date. */
const isoOf = (ms: number): string | null => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : null);

/** Makes the status document from the files of a device. Status text, JSON and `explain` are made from it. */
export function makeStatus(files: DeviceFiles): DeviceStatus {
  const { word, errors, next } = assess(files);
  const snapshot = files.snapshot.value ?? null;
  return {
    format: STATUS_FORMAT,
    version: STATUS_VERSION,
    status: word,
    exitStatus: STATUS_EXIT[word],
    checkedAt: isoOf(files.readAt) ?? '',
    deviceFolder: files.paths.deviceFolder,
    stateFolder: files.paths.stateFolder,
    ...identity(files, snapshot),
    ...progress(files, snapshot),
    runningPid: files.holder,
    requested: files.trigger.problem === undefined ? files.trigger.value !== null : null,
    backup: snapshot?.context.backup ?? null,
    onServer: onServer(files),
    errors: [...errors],
    warnings: warnings(files, snapshot, errors),
    next,
    setAside: [...(files.setAside.value ?? [])],
    history: (snapshot?.history ?? []).map((entry) => ({ ...entry })),
    events: (files.events.value?.records ?? []).slice(-MAX_EVENTS).map((record) => {
      const { time, level, runId, state, event } = record;
      return { time, level, runId, state, event, message: sentenceOf(record) };
    }),
  };
}

type Identity = Pick<DeviceStatus, 'device' | 'formerDevice' | 'configuredDevice' | 'server'>;

function identity({ credentials, config, target }: DeviceFiles, snapshot: SnapshotDocument | null): Identity {
  const context = snapshot?.context;
  const configuredDevice = config.value?.deviceId ?? null;
  const ofRun = context?.granted?.deviceName ?? context?.deviceName ?? null;
  const stored = credentials.value?.granted ?? credentials.value?.names.at(-1) ?? null;
  const device = snapshot === null ? (stored ?? configuredDevice) : (ofRun ?? stored);
  const former = snapshot?.state === 'provisioned' ? snapshot.context.previousDeviceId : null;
  const known = context?.settings?.server ?? target.value ?? null;
  return {
    device,
    // If an operator restored the old configuration, the camera still uses that device.
    formerDevice: former === device || former === configuredDevice ? null : former,
    configuredDevice,
    server: known === null ? null : { host: known.host, port: known.port, useSsl: known.useSsl },
  };
}

type Progress = Pick<DeviceStatus, 'state' | 'attempt' | 'retry' | 'run'>;

function progress({ holder, readAt, events }: DeviceFiles, snapshot: SnapshotDocument | null): Progress {
  if (snapshot === null) return { state: null, attempt: null, retry: null, run: null };
  const { state, context, history, savedAt } = snapshot;
  const final = isFinalState(state);
  const { retryAt, waitingFor } = context;
  const at = retryAt === null || holder === null || state !== 'backoff' ? null : isoOf(retryAt);
  return {
    state: {
      name: state,
      step: stepOf(state, context),
      steps: STEPS.length,
      since: history.at(-1)?.enteredAt ?? savedAt,
      interrupted: !final && holder === null,
    },
    attempt: final && context.retries === 0 ? null : { number: snapshot.attempt, of: snapshot.maxAttempts },
    retry:
      at === null || retryAt === null
        ? splayOf(events.value?.records ?? [], readAt, holder === null || state !== 'prepare' ? null : snapshot.runId)
        : { at, inSeconds: secondsUntil(retryAt, readAt), waitingFor: waitingFor ?? 'retry' },
    run: { id: snapshot.runId, startedAt: snapshot.startedAt, agentVersion: snapshot.agentVersion },
  };
}

const secondsUntil = (at: number, now: number): number => Math.max(0, Math.ceil((at - now) / 1000));

/** The pause of --splay, which only the log records. @param runId null: the run is not in that pause */
function splayOf(records: readonly LogRecord[], readAt: number, runId: string | null): Progress['retry'] {
  const last = records.findLast((record) => record.runId === runId);
  if (runId === null || last === undefined || !isEvent(last, 'splay.waiting')) return null;
  const until = Date.parse(last.time) + last.details.ms;
  const at = isoOf(until);
  return at === null ? null : { at, inSeconds: secondsUntil(until, readAt), waitingFor: 'splay' };
}

const meantAs = (names: readonly string[]): string =>
  names.length === 0 ? '' : `; perhaps meant: ${names.join(', ')}`;

/** What the run has repaired in the configuration. Nobody has to act on it, so only the log records it. */
const repairs = ({ events }: DeviceFiles, { runId, context }: SnapshotDocument): string[] =>
  (events.value?.records ?? [])
    .filter((record) => record.runId === runId && isEvent(record, 'config.base'))
    .map(({ message }) => message)
    .filter((message) => !context.warnings.includes(message));
/** After a success only the warnings that still need someone. */
function recordedWarnings(files: DeviceFiles, snapshot: SnapshotDocument | null): readonly string[] {
  const recorded = snapshot?.context.warnings ?? [];
  return snapshot?.state === 'provisioned' ? openWarnings(files, recorded).map(({ text }) => text) : recorded;
}

/** Warnings of the run, and of the files that a run does not need. */
function warnings(
  files: DeviceFiles,
  snapshot: SnapshotDocument | null,
  errors: readonly { readonly code: string; readonly message: string }[],
): string[] {
  const { target, trigger, nearMisses, events, backups, setAside } = files;
  // An error about provision.json makes the warning about it superfluous.
  const isReported = errors.some(({ code }) => code.startsWith('PROVISION_JSON_'));
  const isRequested = typeof trigger.value === 'number' && !isReported;
  const missing =
    target.value === null
      ? `provision.txt is present, but provision.json is missing${meantAs(nearMisses.provisionJson)}`
      : target.problem?.message;
  const unreadable = [events.problem, backups.problem, setAside.problem].map((problem) => problem?.message);
  return [
    ...recordedWarnings(files, snapshot),
    ...(isRequested || snapshot !== null || nearMisses.provisionJson.length === 0
      ? []
      : [`provision.json is missing${meantAs(nearMisses.provisionJson)}`]),
    ...(nearMisses.trigger.length === 0 ? [] : [`provision.txt is missing${meantAs(nearMisses.trigger)}`]),
    ...(snapshot?.state === 'provisioned' ? repairs(files, snapshot) : []),
    ...(isRequested && files.holder === null && missing !== undefined ? [missing] : []),
    ...(isRequested || snapshot !== null ? [files.volatile].filter((why) => why !== null) : []),
    ...(files.folder.problem === undefined ? unreadable.filter((message) => message !== undefined) : []),
  ].filter((warning) => !errors.some(({ message }) => message === warning));
}
