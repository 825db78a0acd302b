import { hostAndPort } from '../endpoint.ts';
import { duration } from '../time/duration.ts';
import type { DeviceStatus, OnServer } from './deviceStatus.ts';
import { ago, indented, oneLine } from './plainText.ts';

const KEY_WIDTH = 11;

type Line = readonly [key: string, value: string | null];

/** The status for people: cloud-init’s word first, what to do last. @param long with history and the last events */
export function statusText(status: DeviceStatus, long = false): string {
  const lines: readonly Line[] = [
    ['status', status.status],
    ...aboutDevice(status),
    ...aboutRun(status),
    ...status.errors.flatMap(({ code, message, hint }, index): Line[] => [
      ['error', `${code}: ${message}`],
      ['hint', status.errors[index + 1]?.hint === hint ? null : hint],
    ]),
    ...status.warnings.map((warning): Line => ['warning', warning]),
    ['aside', status.setAside.length === 0 ? null : status.setAside.join(', ')],
  ];
  const parts = lines.map(toText);
  const end = toText(['next', nextText(status)]);
  return [...parts, ...(long ? [historyText(status), eventsText(status)] : []), end].join('');
}

const toText = ([key, value]: Line): string =>
  value === null || value === ''
    ? ''
    : `${`${key}:`.padEnd(KEY_WIDTH)}${indented(value, KEY_WIDTH)}\n`.replace(/^status: +/, 'status: ');

function aboutDevice(status: DeviceStatus): Line[] {
  const { device, configuredDevice, formerDevice, server } = status;
  const other = configuredDevice !== null && configuredDevice !== device;
  return [
    ['device', device],
    ['works as', other ? `${configuredDevice} (thermal_config.json)` : null],
    ['former', formerDevice === null ? null : `${formerDevice} is used no more: delete it on its server`],
    ['server', server === null ? null : `${hostAndPort(server)}${server.useSsl ? ' (TLS)' : ''}`],
    ['holds', status.run === null && status.onServer.kind === 'no device' ? null : onServerText(status.onServer)],
  ];
}

/** One sentence on what the server holds. */
export function onServerText({ kind, names, why }: OnServer): string {
  const named = names.length === 0 ? '' : ` ${names.join(' or ')}`;
  switch (kind) {
    case 'no device':
      return `no device of this run: ${why}`;
    case 'one device':
      return `one device,${named}: ${why}`;
    case 'most likely none':
      return `most likely no device${named}: ${why}`;
    case 'unknown':
      return `perhaps a device${named}: ${why}`;
  }
}

function aboutRun(status: DeviceStatus): Line[] {
  const { state, attempt, retry, run, checkedAt, runningPid } = status;
  return [
    ['state', state === null ? null : stateText(state)],
    ['since', state === null ? null : ago(state.since, checkedAt)],
    ['attempt', attempt === null ? null : `${attempt.number} of ${attempt.of}`],
    ['pause', retry === null ? null : `${pauseText(retry)} in ${retry.inSeconds} s (${retry.at})`],
    ['run', run === null ? null : `${run.id}, started ${ago(run.startedAt, checkedAt)}`],
    ['agent', runningPid === null ? null : `process ${runningPid} is working`],
    ['backup', status.backup],
    ['trigger', status.requested === true ? 'provision.txt is there' : null],
  ];
}

const pauseText = ({ waitingFor }: NonNullable<DeviceStatus['retry']>): string =>
  waitingFor === 'splay' ? 'first contact (--splay)' : `next ${waitingFor}`;

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
    const notes = [attempt > 1 ? `try ${attempt}` : '', resumed ? 'resumed' : ''].filter((note) => note !== '');
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
