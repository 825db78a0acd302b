import { isFinalState, STEPS, stepOf } from '../../machines/provision.states.ts';
import { hostAndPort } from '../endpoint.ts';
import { recordedRuns } from '../history/recordedRuns.ts';
import type { LogRecord } from '../log/log.ts';
import { isEvent } from '../log/recordedEvent.ts';
import type { SnapshotDocument } from '../state/snapshotDocument.ts';
import { assess } from '../status/assessment.ts';
import type { DeviceFiles } from '../status/deviceFiles.ts';
import { LABEL } from '../status/labels.ts';
import { onServer } from '../status/onServer.ts';
import { onServerText } from '../status/statusText.ts';
import { duration } from '../time/duration.ts';
import { eventView, recordedView } from './recording.ts';
import { formatTime, outcomeOf, type RunView, type StepView } from './runView.ts';

/** The largest difference in time between a log line and a history entry of the same pause. */
const SAME_MOMENT_MS = 1000;

/** The latest run of a device, from snapshot and log. Unreadable files become warnings. */
export function deviceView(files: DeviceFiles): RunView {
  const records = files.events.value?.records ?? [];
  const snapshot = files.snapshot.value;
  const view = snapshot == null ? unrecordedView(files, records) : snapshotView(files, snapshot, records);
  const unreadable = [files.trigger, files.target, files.credentials, files.config, files.events, files.backups];
  const problems = unreadable.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  const aside = files.setAside.value ?? [];
  // The same next step as in `status`.
  const { next } = assess(files);
  return {
    ...view,
    next: next === null ? '' : `${next.text}${next.command === null ? '.' : ':'}`,
    command: next?.command ?? '',
    warnings: [
      ...view.warnings,
      ...problems.map(({ code, message, hint }) => `${code}: ${message}. ${hint}`),
      ...(aside.length === 0 ? [] : [`Files set aside, kept for support: ${aside.join(', ')}`]),
    ],
  };
}

/** Without a snapshot, the log describes the latest run. */
function unrecordedView(files: DeviceFiles, records: readonly LogRecord[]): RunView {
  const refused = assess(files).word === 'error' ? files.storage.problem : undefined;
  const problem = files.folder.problem ?? files.snapshot.problem ?? refused;
  const recording = recordedRuns(records).at(-1);
  const view = recordedView(recording ?? { runId: null, records: [] }, recording?.records.length ?? 0);
  const requested = typeof files.trigger.value === 'number';
  if (problem !== undefined) {
    const error = { code: problem.code, message: problem.message, hint: problem.hint, causes: [] };
    const summary =
      problem === refused
        ? "The next run can't write its files, so its failure is not recorded here."
        : "The files of the latest run can't be read, so its last steps may be missing here.";
    return { ...view, error, outcome: 'attention', summary, facts: deviceFacts(files, undefined) };
  }
  return {
    ...view,
    outcome: files.holder === null ? (recording === undefined ? 'none' : view.outcome) : 'running',
    summary: requested
      ? 'provision.txt asks for provisioning, but no run has begun yet.'
      : 'No provision.txt and no known run: nothing to do.',
    facts: deviceFacts(files, undefined),
  };
}

function snapshotView(files: DeviceFiles, snapshot: SnapshotDocument, records: readonly LogRecord[]): RunView {
  const { context, state } = snapshot;
  const own = records.filter(({ runId }) => runId === snapshot.runId);
  const alive = files.holder !== null;
  const failure = context.error ?? (context.waitingFor === null ? null : context.lastFailure);
  return {
    chart: 'provision',
    runId: snapshot.runId,
    state,
    outcome: outcomeOf(state, alive),
    summary: summaryOf(files, snapshot),
    next: '',
    command: '',
    facts: deviceFacts(files, snapshot),
    steps: snapshot.history.map((entry) => ({ ...entry, note: noteOn(entry, own) })),
    error: failure,
    warnings: [...context.warnings, ...previousDevice(snapshot)],
    events: own.map(eventView),
    context: JSON.stringify(context, null, 2),
  };
}

function previousDevice({ state, context }: SnapshotDocument): string[] {
  const device = context.granted?.deviceName ?? context.deviceName;
  const previous = context.previousDeviceId;
  if (state !== 'provisioned' || previous === null || previous === device) return [];
  return [`The previous device ${previous} is no longer used: delete it on its server.`];
}

/** The reason for a pause, which the history does not record. */
function noteOn(step: Omit<StepView, 'note'>, records: readonly LogRecord[]): string {
  if (step.state !== 'backoff') return '';
  const at = Date.parse(step.enteredAt);
  const line = records.find(
    (record) => isEvent(record, 'backoff.waiting') && Math.abs(Date.parse(record.time) - at) < SAME_MOMENT_MS,
  );
  return line?.message ?? '';
}

/** The status of the run in one sentence. */
function summaryOf(files: DeviceFiles, { state, context }: SnapshotDocument): string {
  switch (state) {
    case 'provisioned':
      return `This camera is provisioned as ${context.granted?.deviceName ?? context.deviceName ?? 'a device'}.`;
    case 'failed':
      return 'Provisioning failed. The camera keeps its previous configuration.';
    case 'withdrawn':
      return 'provision.txt was removed before the run had ended. No further request is sent.';
    case 'superseded':
      return 'provision.json was changed during the run.';
    default:
      return unfinishedSummary(files, state, context.retryAt);
  }
}

function unfinishedSummary({ holder, readAt }: DeviceFiles, state: string, retryAt: number | null): string {
  if (holder === null) return `The run was interrupted in ${state}, and no agent is running.`;
  if (state !== 'backoff' || retryAt === null) return `The agent is running: ${state}.`;
  const left = duration(Math.max(0, retryAt - readAt));
  return `The agent waits before the next try, ${left} from the time of this page. It continues by itself.`;
}

function deviceFacts(files: DeviceFiles, snapshot: SnapshotDocument | undefined): RunView['facts'] {
  const { context } = snapshot ?? {};
  const server = context?.settings?.server ?? files.target.value ?? undefined;
  const config = files.config.value;
  const running = snapshot !== undefined && !isFinalState(snapshot.state);
  const facts: [string, string | null | undefined][] = [
    [LABEL.device, context?.granted?.deviceName ?? context?.deviceName],
    [LABEL.configuredAs, config?.deviceId && `${config.deviceId}${config.host === null ? '' : ` on ${config.host}`}`],
    [LABEL.server, server && `${hostAndPort(server)}${server.useSsl ? ' (TLS)' : ''}`],
    [LABEL.onServer, onServerText(onServer(files))],
    [
      LABEL.state,
      snapshot && `${snapshot.state} (step ${stepOf(snapshot.state, snapshot.context)} of ${STEPS.length})`,
    ],
    [LABEL.attempt, running ? `${snapshot.attempt} of ${snapshot.maxAttempts}` : undefined],
    [LABEL.agent, files.holder === null ? undefined : `running as process ${files.holder}`],
    [LABEL.run, snapshot?.runId],
    ['started', snapshot && formatTime(snapshot.startedAt)],
    ['last saved', snapshot && formatTime(snapshot.savedAt)],
    ['interruptions', context && context.resumes > 0 ? `${context.resumes}, resumed each time` : undefined],
    [LABEL.backup, context?.backup],
    ['folder', files.paths.deviceFolder],
  ];
  return facts.filter((fact): fact is [string, string] => typeof fact[1] === 'string');
}
