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
/** So many states are shown from the beginning and from the end of a long run. */
const SHOWN_STATES = 12;
const INDENT = 2;

type Chapter = readonly [title: string, sentences: readonly string[]];

/** What happened, what the server holds, what the camera does and what to type next: in plain words. */
export function explanation(files: DeviceFiles): string {
  const status = makeStatus(files);
  const runs = recordedRuns(files.events.value?.records ?? []).flatMap((run) => summaryOf(run) ?? []);
  const earlier = runs.filter(({ runId }) => runId !== status.run?.id);
  const chapters: readonly Chapter[] = [
    [
      'What happened',
      [...thisRun(status), ...cutOff(files), ...status.errors.flatMap(toSentences), ...status.warnings],
    ],
    ['Step by step', steps(status)],
    ['Earlier runs', earlier.slice(-MAX_EARLIER).map((run) => earlierRun(run, status.checkedAt))],
    ['What the server holds', [serverSentence(status.onServer), ...leftovers(status, earlier)]],
    ['What the camera does', [cameraSentence(status)]],
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
    if (runningPid !== null) return [`The agent (process ${runningPid}) has just begun.`];
    const isUnreadable = status.errors.some(
      ({ code }) => code === 'FILE_NOT_PERMITTED' || code.startsWith('SNAPSHOT_'),
    );
    const known = isUnreadable ? 'What the latest run did can’t be read.' : 'No run is known here.';
    return [`${known} ${ASKED[String(status.requested)]}`];
  }
  const where = server === null ? '' : ` with ${hostAndPort(server)}`;
  const begun = `Run ${run.id} of agent ${run.agentVersion}${where} began ${ago(run.startedAt, checkedAt)}.`;
  return [begun, ...resumptions(status), `${stand(state.name)}${standing(status)}.`];
}

/** Whether provision.txt is there. */
const ASKED: Readonly<Record<string, string>> = {
  true: 'provision.txt asks for one.',
  false: 'provision.txt, which asks for one, is not there.',
  null: 'Whether provision.txt asks for one can’t be seen.',
};

/** How a run stands, by its latest state. */
function stand(state: string): string {
  if (!isProvisionState(state)) return `It stands in ${state}`;
  if (isFinalState(state)) return STATES[state].ended;
  const { known, doing } = STATES[state];
  const was = `was ${doing.charAt(0).toLowerCase()}${doing.slice(1)}`;
  return known === null ? `It ${was}` : `${known}; the run ${was}`;
}

function standing({ state, retry, attempt, runningPid, checkedAt }: DeviceStatus): string {
  if (state === null) return '';
  const since = `, ${ago(state.since, checkedAt)}`;
  const tries = attempt === null || attempt.number === 1 ? '' : `, in try ${attempt.number} of ${attempt.of}`;
  if (retry !== null) {
    const what = retry.waitingFor === 'splay' ? 'the first contact with the server' : `the next ${retry.waitingFor}`;
    return `${since}${tries}; ${what} is in ${retry.inSeconds} s`;
  }
  if (state.interrupted) return `${since}${tries}, when it was interrupted`;
  return runningPid === null ? since : `${since}${tries}; the agent (process ${runningPid}) is at work`;
}

/** An agent removes the file when it ends in order. */
const cutOff = ({ holder, lockNote }: DeviceFiles): string[] =>
  holder !== null || lockNote === null
    ? []
    : [`Its process ${lockNote} was cut off without a word, or works in another container, where it can’t be seen.`];

function resumptions({ history }: DeviceStatus): string[] {
  const count = history.filter(({ resumed }) => resumed).length;
  if (count === 0) return [];
  return [`It was interrupted and went on ${count === 1 ? 'once' : `${count} times`}.`];
}

function steps({ history }: DeviceStatus): string[] {
  const lines = history.map(({ state, enteredAt, durationMs, attempt, resumed }) => {
    const took = durationMs === null ? '' : `, ${duration(durationMs)}`;
    return `${oneLine(enteredAt)} ${state}${attempt > 1 ? ` (try ${attempt})` : ''}${resumed ? ', resumed' : ''}${took}`;
  });
  const left = lines.length - 2 * SHOWN_STATES;
  if (left <= 1) return lines;
  return [...lines.slice(0, SHOWN_STATES), `… ${left} more: status --long …`, ...lines.slice(-SHOWN_STATES)];
}

function earlierRun({ runId, startedAt, resumes, end, ending }: RunSummary, now: string): string {
  const resumed = resumes === 0 ? '' : `, went on ${resumes === 1 ? 'once' : `${resumes} times`} after interruptions`;
  const how = end === 'killed' ? 'was cut off without a word' : `ended as ${end}`;
  return `${ago(startedAt, now)}: run ${runId}${resumed}, ${how}${ending === null ? '' : `: ${oneLine(sentenceOf(ending))}`}`;
}

function serverSentence({ kind, names, server, why }: OnServer): string {
  const where = server ?? 'The server';
  const named = names.join(' or ');
  switch (kind) {
    case 'no device':
      return `${where} holds no device of this run: ${why}.`;
    case 'one device':
      return `${where} holds one device, ${named}: ${why}.`;
    case 'most likely none':
      return `${where} most likely holds no device of ours named ${named}: ${why}.`;
    case 'unknown':
      return `Unknown. ${where} may hold a device${named === '' ? '' : ` named ${named}`}: ${why}. The next run finds out, or look there.`;
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
    ...(names.length === 0 ? [] : [`Used no more, to be deleted there unless done: ${names.join(', ')}.`]),
    ...(credentials.length === 0
      ? []
      : [`Credentials that were set aside may belong to devices there: ${credentials.join(', ')}.`]),
  ];
}

function cameraSentence({ configuredDevice, backup }: DeviceStatus): string {
  const copy = backup === null ? '' : ` The configuration of before is kept in ${backup}.`;
  if (configuredDevice === null) return `It has no usable thermal_config.json, as far as can be told.${copy}`;
  return `It works as ${configuredDevice}: thermal_config.json says so.${copy}`;
}

function nextSentence({ next }: DeviceStatus): string {
  if (next === null) return 'Nothing.';
  return next.command === null
    ? `${next.text}${next.text.endsWith('.') ? '' : '.'}`
    : `${next.text}:\n  ${next.command}`;
}
