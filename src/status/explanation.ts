import { isFinalState, isProvisionState, STATES } from '../../machines/provision.states.ts';
import { hostAndPort } from '../endpoint.ts';
import { type RunSummary, recordedRuns, summaryOf } from '../history/recordedRuns.ts';
import { sentenceOf } from '../log/format.ts';
import { duration } from '../time/duration.ts';
import type { DeviceFiles } from './deviceFiles.ts';
import type { DeviceStatus, OnServer } from './deviceStatus.ts';
import { makeStatus } from './makeStatus.ts';
import { ago, indented, oneLine } from './plainText.ts';

const MAX_EARLIER = 5;
/** States shown from the beginning, and from the end, of a long run. */
const SHOWN_STATES = 12;
const INDENT = 2;

type Chapter = readonly [title: string, sentences: readonly string[]];

/** The text of `explain`: what happened, what is on the server, what the camera uses, and what to do next. */
export function explanation(files: DeviceFiles): string {
  const status = makeStatus(files);
  const runs = recordedRuns(files.events.value?.records ?? []).flatMap((run) => summaryOf(run) ?? []);
  const earlier = runs.filter(({ runId }) => runId !== status.run?.id);
  const chapters: readonly Chapter[] = [
    [
      'What happened',
      [...thisRun(status), ...killed(files), ...status.errors.flatMap(toSentences), ...status.warnings],
    ],
    ['Step by step', steps(status)],
    ['Earlier runs', earlier.slice(-MAX_EARLIER).map((run) => earlierRun(run, status.checkedAt))],
    ['On the server', [serverSentence(status.onServer, files), ...leftovers(status, earlier)]],
    ['The camera', [cameraSentence(status)]],
    ['What to do next', [nextSentence(status)]],
  ];
  return chapters
    .filter(([, sentences]) => sentences.length > 0)
    .map(toText)
    .join('\n');
}

const toText = ([title, sentences]: Chapter): string =>
  `${title}\n${sentences.map((sentence) => `${' '.repeat(INDENT)}${indented(sentence, INDENT)}\n`).join('')}`;

const toSentences = ({ code, message, hint }: DeviceStatus['errors'][number]): string[] => [
  `${code}: ${message}${message.endsWith('.') ? '' : '.'}`,
  ...(hint === '' ? [] : [`Hint: ${hint}`]),
];

function thisRun(status: DeviceStatus): string[] {
  const { state, run, runningPid, checkedAt, server } = status;
  if (status.errors[0]?.code === 'DEVICE_FOLDER_MISSING') return [];
  if (run === null || state === null) {
    if (runningPid !== null) return [`The agent (process ${runningPid}) has just started.`];
    const isUnreadable = status.errors.some(
      ({ code }) => code === 'FILE_NOT_PERMITTED' || code.startsWith('SNAPSHOT_'),
    );
    const known = isUnreadable ? "The files of the latest run can't be read." : 'No run is known in this folder.';
    return [`${known} ${ASKED[String(status.requested)]}`];
  }
  const where = server === null ? '' : ` with ${hostAndPort(server)}`;
  const started = `Run ${run.id} of agent ${run.agentVersion}${where} started ${ago(run.startedAt, checkedAt)}.`;
  return [started, ...resumptions(status), ...latestState(state, status)];
}

/** Whether provision.txt is there. */
const ASKED: Readonly<Record<string, string>> = {
  true: 'provision.txt asks for a run.',
  false: 'No provision.txt asks for a run.',
  null: "It is unknown whether provision.txt asks for a run: the folder can't be read.",
};

/** The latest state of a run, one fact in each sentence. */
function latestState(state: NonNullable<DeviceStatus['state']>, status: DeviceStatus): string[] {
  const { retry, attempt, runningPid, checkedAt } = status;
  const when = ago(state.since, checkedAt);
  const name = isProvisionState(state.name) ? state.name : null;
  if (name !== null && isFinalState(name)) return [`${STATES[name].ended}, ${when}.`];
  const { known, doing } = name === null ? { known: null, doing: state.name } : STATES[name];
  return [
    ...(known === null ? [] : [`${known}.`]),
    `Latest step, since ${when}: ${doing}.`,
    ...(attempt === null || attempt.number === 1 ? [] : [`This is attempt ${attempt.number} of ${attempt.of}.`]),
    ...(retry === null
      ? []
      : [
          `${retry.waitingFor === 'splay' ? 'The first contact with the server' : `The next ${retry.waitingFor}`} is in ${retry.inSeconds} s.`,
        ]),
    ...(state.interrupted ? ['The run was interrupted in this step.'] : []),
    ...(runningPid === null ? [] : [`The agent is running as process ${runningPid}.`]),
  ];
}

/** An agent removes the file `lock` when it ends. */
const killed = ({ holder, lockNote }: DeviceFiles): string[] =>
  holder !== null || lockNote === null
    ? []
    : [`Process ${lockNote} of the agent did not end normally (kill or power loss), or it runs in another container.`];

function resumptions({ history }: DeviceStatus): string[] {
  const count = history.filter(({ resumed }) => resumed).length;
  if (count === 0) return [];
  return [`The run was interrupted and resumed ${count === 1 ? 'once' : `${count} times`}.`];
}

function steps({ history }: DeviceStatus): string[] {
  const lines = history.map(({ state, enteredAt, durationMs, attempt, resumed }) => {
    const took = durationMs === null ? '' : `, ${duration(durationMs)}`;
    return `${oneLine(enteredAt)} ${state}${attempt > 1 ? ` (time ${attempt})` : ''}${resumed ? ', resumed' : ''}${took}`;
  });
  const left = lines.length - 2 * SHOWN_STATES;
  if (left <= 1) return lines;
  return [...lines.slice(0, SHOWN_STATES), `… ${left} more (see status --long) …`, ...lines.slice(-SHOWN_STATES)];
}

function earlierRun({ runId, startedAt, resumes, end, ending }: RunSummary, now: string): string {
  const resumed = resumes === 0 ? '' : `, resumed ${resumes === 1 ? 'once' : `${resumes} times`}`;
  const how = end === 'killed' ? 'did not end normally' : `ended as ${end}`;
  return `${ago(startedAt, now)}: run ${runId}${resumed}, ${how}${ending === null ? '' : `: ${oneLine(sentenceOf(ending))}`}`;
}

function serverSentence({ kind, names, server, why }: OnServer, { credentials }: DeviceFiles): string {
  // Without credentials.json the next run has no token to ask with.
  const asks =
    (credentials.value ?? null) === null ? 'Look there' : 'The next run asks the server. You can also look there';
  const where = server ?? 'the server';
  const named = names.join(' or ');
  switch (kind) {
    case 'no device':
      return `No device of this run on ${where}: ${why}.`;
    case 'one device':
      return `One device on ${where}, ${named}: ${why}.`;
    case 'most likely none':
      return `Probably no device ${named} on ${where}: ${why}.`;
    case 'unknown':
      return `Unknown. A device${named === '' ? '' : ` named ${named}`} may exist on ${where}: ${why}. ${asks}.`;
  }
}

function leftovers(
  { formerDevice, setAside, configuredDevice }: DeviceStatus,
  earlier: readonly RunSummary[],
): string[] {
  const former = [...earlier.map((run) => run.former), formerDevice];
  const names = [...new Set(former)].filter((name) => name !== null && name !== configuredDevice);
  const credentials = setAside.filter((name) => name.startsWith('credentials.json.'));
  return [
    ...(names.length === 0 ? [] : [`No longer used: ${names.join(', ')}. Delete it on its server if it still exists.`]),
    ...(credentials.length === 0
      ? []
      : [`These files set aside may hold credentials of devices on the server: ${credentials.join(', ')}.`]),
  ];
}

function cameraSentence({ configuredDevice, backup }: DeviceStatus): string {
  const copy = backup === null ? '' : ` The previous configuration is kept in ${backup}.`;
  if (configuredDevice === null) return `No usable thermal_config.json was found.${copy}`;
  return `The camera is configured as ${configuredDevice} (thermal_config.json).${copy}`;
}

function nextSentence({ next }: DeviceStatus): string {
  if (next === null) return 'Nothing.';
  return next.command === null
    ? `${next.text}${next.text.endsWith('.') ? '' : '.'}`
    : `${next.text}:\n  ${next.command}`;
}
