import { hostAndPort } from '../endpoint.ts';
import { recordedRuns } from '../history/recordedRuns.ts';
import type { LogRecord } from '../log/log.ts';
import { isEvent } from '../log/recordedEvent.ts';
import { isFinalState, type SnapshotDocument } from '../state/snapshotDocument.ts';
import type { DeviceFiles } from '../status/deviceFiles.ts';
import { judge } from '../status/judgement.ts';
import { onServer } from '../status/onServer.ts';
import { STEPS, stepOf } from '../status/steps.ts';
import { duration } from '../time/duration.ts';
import { html } from './html.ts';
import { type Page, page } from './page.ts';
import { POINTING_SCRIPT } from './pageScript.ts';
import { eventView, recordedView } from './recording.ts';
import {
  chartSection,
  contextSection,
  eventsSection,
  factsSection,
  headSection,
  stepsSection,
  timeElement,
} from './runSections.ts';
import { formatTime, outcomeOf, type RunView, type StepView } from './runView.ts';

/** How far a line of the log and an entry of the history may lie apart that tell the same. */
const SAME_MOMENT_MS = 1000;

/** What a report says of a device: the latest run, by snapshot and log; parts that can't be read become warnings. */
export function reportView(files: DeviceFiles): RunView {
  const records = files.events.value?.records ?? [];
  const snapshot = files.snapshot.value;
  const view = snapshot == null ? unrecordedView(files, records) : snapshotView(files, snapshot, records);
  const unreadable = [files.trigger, files.target, files.credentials, files.config, files.events, files.backups];
  const problems = unreadable.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  const aside = files.setAside.value ?? [];
  // The same advice as `status` gives.
  const { next } = judge(files);
  return {
    ...view,
    next: next === null ? '' : `${next.text}${next.command === null ? '.' : ':'}`,
    command: next?.command ?? '',
    warnings: [
      ...view.warnings,
      ...problems.map(({ code, message, hint }) => `${code}: ${message}. ${hint}`),
      ...(aside.length === 0 ? [] : [`Set aside in earlier runs, kept for support: ${aside.join(', ')}`]),
    ],
  };
}

/** Without a snapshot: what the log knows of the latest run. */
function unrecordedView(files: DeviceFiles, records: readonly LogRecord[]): RunView {
  const problem = files.folder.problem ?? files.snapshot.problem;
  const recording = recordedRuns(records).at(-1);
  const view = recordedView(recording ?? { runId: null, records: [] }, recording?.records.length ?? 0);
  const requested = typeof files.trigger.value === 'number';
  if (problem !== undefined) {
    const error = { code: problem.code, message: problem.message, hint: problem.hint, causes: [] };
    const summary = 'The files of the latest run can’t be read, so this page may lack its last steps.';
    return { ...view, error, outcome: 'attention', summary, facts: deviceFacts(files, undefined) };
  }
  return {
    ...view,
    outcome: files.holder === null ? (recording === undefined ? 'none' : view.outcome) : 'running',
    summary: requested
      ? 'provision.txt asks for provisioning, and no run has begun yet.'
      : 'There is no provision.txt, and no run is known: nothing to do.',
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
    warnings: [...context.warnings, ...formerDevice(snapshot)],
    events: own.map(eventView),
    context: JSON.stringify(context, null, 2),
  };
}

function formerDevice({ state, context }: SnapshotDocument): string[] {
  const device = context.granted?.deviceName ?? context.deviceName;
  const former = context.previousDeviceId;
  if (state !== 'provisioned' || former === null || former === device) return [];
  return [`The former device ${former} is used no more: delete it on the server.`];
}

/** Why a pause was made: the history does not tell. */
function noteOn(step: Omit<StepView, 'note'>, records: readonly LogRecord[]): string {
  if (step.state !== 'backoff') return '';
  const at = Date.parse(step.enteredAt);
  const said = records.find(
    (record) => isEvent(record, 'backoff.waiting') && Math.abs(Date.parse(record.time) - at) < SAME_MOMENT_MS,
  );
  return said?.message ?? '';
}

/** How things stand, in a sentence. */
function summaryOf(files: DeviceFiles, { state, context }: SnapshotDocument): string {
  switch (state) {
    case 'provisioned':
      return `This camera is provisioned as ${context.granted?.deviceName ?? context.deviceName ?? 'a device'}.`;
    case 'failed':
      return 'Provisioning failed. The camera goes on with the configuration it had.';
    case 'withdrawn':
      return 'provision.txt was removed before the run had ended: nothing more is sent.';
    case 'superseded':
      return 'provision.json was changed during the run.';
    default:
      return unfinishedSummary(files, state, context.retryAt);
  }
}

function unfinishedSummary({ holder, readAt }: DeviceFiles, state: string, retryAt: number | null): string {
  if (holder === null) return `The run was interrupted in ${state}, and nobody is at work.`;
  if (state !== 'backoff' || retryAt === null) return `The agent is at work: ${state}.`;
  const left = duration(Math.max(0, retryAt - readAt));
  return `The agent waits before another try: ${left}, from when this page was made. It goes on by itself.`;
}

function serverHolds(files: DeviceFiles): string {
  const { kind, names, why } = onServer(files);
  return `${kind}${names.length === 0 ? '' : ` (${names.join(', ')})`}: ${why}`;
}

function deviceFacts(files: DeviceFiles, snapshot: SnapshotDocument | undefined): RunView['facts'] {
  const { context } = snapshot ?? {};
  const server = context?.settings?.server ?? files.target.value ?? undefined;
  const config = files.config.value;
  const running = snapshot !== undefined && !isFinalState(snapshot.state);
  const facts: [string, string | null | undefined][] = [
    ['device', context?.granted?.deviceName ?? context?.deviceName],
    ['server', server && `${hostAndPort(server)}${server.useSsl ? ' (TLS)' : ''}`],
    ['state', snapshot && `${snapshot.state}, step ${stepOf(snapshot.state, snapshot.context)} of ${STEPS.length}`],
    ['attempt', running ? `${snapshot.attempt} of ${snapshot.maxAttempts}` : undefined],
    ['at work', files.holder === null ? undefined : `process ${files.holder}`],
    ['run', snapshot?.runId],
    ['started', snapshot && formatTime(snapshot.startedAt)],
    ['last saved', snapshot && formatTime(snapshot.savedAt)],
    ['interruptions', context && context.resumes > 0 ? `${context.resumes}, each time it went on` : undefined],
    ['backup', context?.backup],
    [
      'the camera works as',
      config?.deviceId && `${config.deviceId}${config.host === null ? '' : ` on ${config.host}`}`,
    ],
    ['on the server', serverHolds(files)],
    ['folder', files.paths.deviceFolder],
  ];
  return facts.filter((fact): fact is [string, string] => typeof fact[1] === 'string');
}

/** The report as one page that needs nothing else. @param version of the program that makes it */
export function reportPage(files: DeviceFiles, version: string): Page {
  const view = reportView(files);
  const snapshot = files.snapshot.value;
  const device = view.facts.find(([name]) => name === 'device')?.[1] ?? files.config.value?.deviceId;
  const records = files.events.value?.records ?? [];
  const earlier = records.filter(({ runId }) => runId !== view.runId).map(eventView);
  const title = device ?? 'Thermal camera';
  return page({
    title: `${title}: ${view.state ?? view.outcome}`,
    body: html`${headSection(title, view)}
<section><h2>Overview</h2>${factsSection(view.facts)}</section>
${view.steps.length > 0 ? chartSection(view) : undefined}
${stepsSection(view)}
<section><h2>Details</h2>
${eventsSection(view.events, 'events', 'Log of this run')}
${earlier.length === 0 ? undefined : eventsSection(earlier, 'earlier', 'Log of earlier runs')}
${contextSection(view.context, 'context')}</section>`,
    footer: html`Report of ${timeElement(new Date(files.readAt).toISOString())}, made by thermal-provision ${version}${
      snapshot == null
        ? undefined
        : html`; the run's agent: ${snapshot.agentVersion}, snapshot format ${snapshot.version}, state number ${snapshot.seq}`
    }; Node ${process.version}. Holds no secret.`,
    script: POINTING_SCRIPT,
  });
}
