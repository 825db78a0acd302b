import { formatDistanceStrict } from 'date-fns/formatDistanceStrict';
import { toFailure } from '../failure.ts';
import { fileExists } from '../files/fileExists.ts';
import { lockHolder } from '../state/lock.ts';
import type { DevicePaths } from '../state/paths.ts';
import type { SnapshotDocument } from '../state/snapshotDocument.ts';
import { readSnapshot } from '../state/snapshotFile.ts';

const HEALTHY = 0;
const ERROR = 1;

type Word = 'not started' | 'running' | 'done' | 'error';

export interface StatusReport {
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  readonly exitStatus: number;
}

/** Reads what the files of a device say about its latest run. Changes nothing. */
export async function reportStatus(paths: DevicePaths, now: number = Date.now()): Promise<StatusReport> {
  const requested = await fileExists(paths.provisionTxt);
  const holder = await lockHolder(paths.stateFolder);
  try {
    const read = await readSnapshot(paths.snapshot);
    if (read.kind === 'snapshot') return describe(read.snapshot, requested, holder, now);
    if (read.kind === 'absent') return nothingYet(requested, holder);
    return unusable('SNAPSHOT_DAMAGED', `${paths.snapshot} can't be used: ${read.why}`, 'The next run sets it aside.');
  } catch (error) {
    const { code, message, hint } = toFailure(error);
    return unusable(code, message, hint);
  }
}

function nothingYet(requested: boolean, holder: number | undefined): StatusReport {
  const word: Word = holder === undefined ? 'not started' : 'running';
  const detail = requested
    ? 'provision.txt is there: the next start of the agent provisions this device.'
    : 'No provision.txt, and no earlier run: nothing to do.';
  return {
    text: `status: ${word}\n${detail}\n`,
    json: { status: word, requested, runningPid: holder ?? null, errors: [] },
    exitStatus: HEALTHY,
  };
}

function unusable(code: string, message: string, hint: string): StatusReport {
  return {
    text: `status: error\nerror:   ${code}: ${message}\nhint:    ${hint}\n`,
    json: { status: 'error', errors: [{ code, message, hint }] },
    exitStatus: ERROR,
  };
}

function wordFor(snapshot: SnapshotDocument): Word {
  if (snapshot.status === 'completed') return 'done';
  if (snapshot.status === 'failed') return 'error';
  return 'running';
}

const ago = (iso: string, now: number): string =>
  `${iso} (${formatDistanceStrict(new Date(iso), new Date(now), { addSuffix: true })})`;

function describe(
  snapshot: SnapshotDocument,
  requested: boolean,
  holder: number | undefined,
  now: number,
): StatusReport {
  const { context, error } = snapshot;
  const word = wordFor(snapshot);
  const interrupted = word === 'running' && holder === undefined;
  const server = context.settings?.server;
  const lines: [string, string | undefined][] = [
    ['device', context.granted?.deviceName ?? context.deviceName ?? undefined],
    ['server', server === undefined ? undefined : `${server.host}:${server.port}${server.useSsl ? ' (TLS)' : ''}`],
    ['state', `${snapshot.state}${interrupted ? ', interrupted: the next start goes on from here' : ''}`],
    ['since', ago(snapshot.history.at(-1)?.enteredAt ?? snapshot.savedAt, now)],
    ['attempt', word === 'running' ? `${snapshot.attempt} of ${snapshot.maxAttempts}` : undefined],
    ['run', `${snapshot.runId}, started ${ago(snapshot.startedAt, now)}`],
    ['agent', holder === undefined ? undefined : `process ${holder} is working`],
    ['backup', context.backup ?? undefined],
    ['error', error === null ? undefined : `${error.code}: ${error.message}`],
    ['hint', error === null ? undefined : error.hint],
    [
      'trigger',
      requested && word !== 'running' ? 'provision.txt is there: the next start provisions again' : undefined,
    ],
    ...context.warnings.map((warning): [string, string] => ['warning', warning]),
  ];
  const text = lines
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${`${key}:`.padEnd(9)}${value}\n`)
    .join('');
  return {
    text: `status: ${word}\n${text}`,
    json: {
      status: word,
      interrupted,
      requested,
      runningPid: holder ?? null,
      snapshot,
      errors: error === null ? [] : [error],
    },
    exitStatus: word === 'error' ? ERROR : HEALTHY,
  };
}
