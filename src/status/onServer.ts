import { hostAndPort } from '../endpoint.ts';
import { isEvent } from '../log/recordedEvent.ts';
import type { SnapshotDocument } from '../state/snapshotDocument.ts';
import type { DeviceFiles } from './deviceFiles.ts';
import type { OnServer } from './deviceStatus.ts';
import type { StoredCredentials } from './storedCredentials.ts';

const unique = (names: readonly (string | null | undefined)[]): string[] => [
  ...new Set(names.filter((name) => name !== null && name !== undefined)),
];

/** Devices of the latest run on the server, as far as the files tell. credentials.json is the authority. */
export function onServer(files: DeviceFiles): OnServer {
  const snapshot = files.snapshot.value ?? null;
  const stored = files.credentials.value ?? null;
  const server = serverOf(files);
  if (files.credentials.problem !== undefined && snapshot?.state !== 'provisioned') {
    const names = unique([snapshot?.context.granted?.deviceName ?? snapshot?.context.deviceName]);
    return { kind: 'unknown', names, server, why: "credentials.json can't be read" };
  }
  const granted = stored?.granted ?? snapshot?.context.granted?.deviceName ?? null;
  if (granted !== null) {
    const why = wasRecovered(files) ? RECOVERED : 'the server has issued its credentials';
    return { kind: 'one device', names: [granted], server, why };
  }
  if (snapshot === null) return withoutSnapshot(files, stored, server);
  return { ...ofRun(snapshot, stored), server };
}

/** The server of the run; without a run, the server in provision.json. */
function serverOf(files: DeviceFiles): string | null {
  const known = files.credentials.value?.target ?? files.snapshot.value?.context.settings?.server ?? files.target.value;
  return known === null || known === undefined ? null : hostAndPort(known);
}

const GIVEN = 'the credentials that the board secret gives';
const RECOVERED = 'the board secret gives its credentials, so it is used again';

/** Only the log records it. */
const wasRecovered = ({ snapshot, events }: DeviceFiles): boolean =>
  (events.value?.records ?? []).some(
    (record) => record.runId === snapshot.value?.runId && isEvent(record, 'reconcile.recovered'),
  );

const ALL_REFUSED = 'the server answered every request, and registered no device';

function withoutSnapshot(files: DeviceFiles, stored: StoredCredentials | null, server: string | null): OnServer {
  if (stored?.registeredNothing === true) return { kind: 'no device', names: [], server, why: ALL_REFUSED };
  if (stored !== null) {
    const why = 'a name was generated, but no snapshot says whether a request was sent';
    return { kind: 'unknown', names: unique(stored.names), server, why };
  }
  const config = files.config.value ?? null;
  if (config?.deviceId !== undefined && config.deviceId !== null && config.runId !== null) {
    const where = config.host === null ? server : hostAndPort({ host: config.host, port: config.port ?? 1883 });
    const why = 'an earlier run wrote it into thermal_config.json';
    return { kind: 'one device', names: [config.deviceId], server: where, why };
  }
  if (files.snapshot.problem === undefined) {
    return { kind: 'no device', names: [], server, why: 'no run of this agent is known' };
  }
  return { kind: 'unknown', names: [], server, why: "snapshot.json can't be read" };
}

function ofRun(
  { state, runId, context }: SnapshotDocument,
  stored: StoredCredentials | null,
): Omit<OnServer, 'server'> {
  const names = unique([...(stored?.names ?? []), context.deviceName]);
  if (context.error?.code === 'CREDENTIALS_TYPE_UNSUPPORTED') {
    return { kind: 'one device', names, why: 'the server registered it with credentials of another kind' };
  }
  if (stored?.registeredNothing === true) {
    if (context.settings?.derived !== true) return { kind: 'no device', names: [], why: ALL_REFUSED };
    return context.probed
      ? { kind: 'no device', names: [], why: `the server does not know ${GIVEN}` }
      : { kind: 'unknown', names, why: `the server was not asked yet whether it knows ${GIVEN}` };
  }
  // The context of a withdrawn run has no counts. An earlier run may have sent a request with the name it generated.
  const isReused = stored?.generatedBy.some((generator) => generator !== runId) === true;
  const maySent = stored !== null && (state === 'withdrawn' || isReused);
  if (context.requestsOut === 0 && context.nameIndex === 1 && !maySent) {
    return { kind: 'no device', names: [], why: 'no request of this run created a device' };
  }
  if (context.error?.code === 'DEVICE_NAME_TAKEN' || context.error?.code === 'PROVISIONING_REFUSED') {
    // Before the first request it is unknown whether an earlier life of the camera has asked.
    const unanswered = context.unknownAt !== null && context.settings?.derived !== true;
    return unanswered
      ? { kind: 'unknown', names, why: 'an earlier request has no known outcome, and a later one was answered FAILURE' }
      : { kind: 'most likely none', names, why: "the server answered FAILURE and does not know this device's token" };
  }
  if (context.probed) {
    return {
      kind: 'most likely none',
      names,
      why: 'a request was sent, but the server did not know its token afterwards',
    };
  }
  if (maySent) return { kind: 'unknown', names, why: 'an earlier run may have sent a request with this name' };
  return { kind: 'unknown', names, why: 'a request may have been sent, and no usable answer came back' };
}
