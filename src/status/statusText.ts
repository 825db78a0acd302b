import { hostAndPort } from '../endpoint.ts';
import { duration } from '../time/duration.ts';
import type { DeviceStatus, OnServer } from './deviceStatus.ts';
import { LABEL, type Label } from './labels.ts';
import { ago, indented, oneLine } from './plainText.ts';

/** The longest label, its colon and a space. */
const LABEL_WIDTH = Math.max(...Object.values(LABEL).map((label) => label.length)) + 2;

type Line = readonly [label: Label, value: string | null];

/** The first characters of every status for people. */
export const TEXT_BEGINNING = 'status: ';

/** The status for people: the status word first, what to do last. @param long adds the history and the last events */
export function statusText(status: DeviceStatus, long = false): string {
  const lines: readonly Line[] = [
    [LABEL.status, status.status],
    ...aboutDevice(status),
    ...aboutRun(status),
    ...status.errors.flatMap(({ code, message, hint }, index): Line[] => [
      [LABEL.error, `${code}: ${message}`],
      [LABEL.hint, status.errors[index + 1]?.hint === hint ? null : hint],
    ]),
    ...status.warnings.map((warning): Line => [LABEL.warning, warning]),
    [LABEL.setAside, status.setAside.length === 0 ? null : status.setAside.join(', ')],
  ];
  const parts = lines.map(toText);
  const end = toText([LABEL.next, nextText(status)]);
  return [...parts, ...(long ? [historyText(status), eventsText(status)] : []), end].join('');
}

/** `status: done` has no padding, because tools look for it, as in the output of cloud-init. */
const toText = ([label, value]: Line): string => {
  if (value === null || value === '') return '';
  const start = `${label}:`.padEnd(label === LABEL.status ? 0 : LABEL_WIDTH - 1);
  return `${start} ${indented(value, LABEL_WIDTH)}\n`;
};

function aboutDevice(status: DeviceStatus): Line[] {
  const { device, configuredDevice, formerDevice, server } = status;
  const other = configuredDevice !== null && configuredDevice !== device;
  return [
    [LABEL.device, device],
    [LABEL.configuredAs, other ? `${configuredDevice} (in thermal_config.json)` : null],
    [LABEL.previousDevice, formerDevice === null ? null : `${formerDevice} (no longer used: delete it on its server)`],
    [LABEL.server, server === null ? null : `${hostAndPort(server)}${server.useSsl ? ' (TLS)' : ''}`],
    [
      LABEL.onServer,
      status.run === null && status.onServer.kind === 'no device' ? null : onServerText(status.onServer),
    ],
  ];
}

/** Devices of this run on the server, with the reason. */
export function onServerText({ kind, names, why }: OnServer): string {
  const named = names.join(' or ');
  switch (kind) {
    case 'no device':
      return `none (${why})`;
    case 'one device':
      return `one device, ${named} (${why})`;
    case 'most likely none':
      return `probably no device ${named} (${why})`;
    case 'unknown':
      return `unknown${named === '' ? '' : `, possibly ${named}`} (${why})`;
  }
}

function aboutRun(status: DeviceStatus): Line[] {
  const { state, attempt, retry, run, checkedAt, runningPid } = status;
  return [
    [LABEL.state, state === null ? null : stateText(state)],
    [LABEL.since, state === null ? null : ago(state.since, checkedAt)],
    [LABEL.attempt, attempt === null ? null : `${attempt.number} of ${attempt.of}`],
    [LABEL.waiting, retry === null ? null : `${pauseText(retry)} in ${retry.inSeconds} s (${retry.at})`],
    [LABEL.run, run === null ? null : `${run.id}, started ${ago(run.startedAt, checkedAt)}`],
    [LABEL.agent, runningPid === null ? null : `running as process ${runningPid}`],
    [LABEL.backup, status.backup],
    [LABEL.trigger, triggerText(status)],
  ];
}

function triggerText({ requested, status, deviceFolder }: DeviceStatus): string | null {
  if (requested === true) return 'provision.txt is present';
  return requested === false && status === 'not started' ? `no provision.txt in ${deviceFolder}` : null;
}

const pauseText = ({ waitingFor }: NonNullable<DeviceStatus['retry']>): string =>
  waitingFor === 'splay' ? 'first contact with the server (--splay)' : `next ${waitingFor}`;

function stateText({ name, step, steps, interrupted }: NonNullable<DeviceStatus['state']>): string {
  return `${name} (step ${step} of ${steps})${interrupted ? ', interrupted' : ''}`;
}

function nextText({ next }: DeviceStatus): string | null {
  if (next === null) return null;
  return next.command === null ? next.text : `${next.text}: ${next.command}`;
}

function historyText({ history }: DeviceStatus): string {
  if (history.length === 0) return '';
  const lines = history.map(({ state, enteredAt, durationMs, attempt, resumed }) => {
    const notes = [attempt > 1 ? `time ${attempt}` : '', resumed ? 'resumed' : ''].filter((note) => note !== '');
    return `  ${oneLine(enteredAt)}  ${state.padEnd(18)}${duration(durationMs).padStart(10)}  ${notes.join(', ')}`.trimEnd();
  });
  return `history:\n${lines.join('\n')}\n`;
}

function eventsText({ events }: DeviceStatus): string {
  if (events.length === 0) return '';
  const lines = events.map(
    ({ time, level, event, message }) => `  ${time}  ${level.padEnd(5)} ${oneLine(event)}: ${oneLine(message)}`,
  );
  return `events:\n${lines.join('\n')}\n`;
}
