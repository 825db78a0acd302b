import { formatDistanceStrict } from 'date-fns/formatDistanceStrict';
import type { StatusWord } from '../status/deviceStatus.ts';
import { oneLine } from '../status/plainText.ts';
import { duration } from '../time/duration.ts';
import type { Camera } from './camera.ts';
import { type Cause, camerasText, causesOf, countsOf } from './causes.ts';
import { type Fleet, REFUSALS, type Refused, STATUS_ORDER } from './fleet.ts';
import { longestUnchanged, longestUnseen, slowest } from './ranking.ts';

export type Tone = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

export interface FleetTextOptions {
  /** Columns of a line. */
  readonly width: number;
  /** Whether long lists are complete. */
  readonly all: boolean;
  readonly paint: (tone: Tone, text: string) => string;
  /** ms since the epoch */
  readonly now: number;
}

const MAX_NAMES = 5;
const MAX_CAUSES = 20;
const MAX_CODES = 20;
const HOW_TO_SEE_ALL = '--all shows them';

const TONES: Readonly<Record<StatusWord, Tone>> = {
  error: 'red',
  degraded: 'yellow',
  running: 'cyan',
  'not started': 'dim',
  done: 'green',
};

/** The fleet for people: counts first, then the cameras that need somebody. */
export function fleetText(fleet: Fleet, options: FleetTextOptions): string {
  const sections = [
    totals(fleet, options),
    codes(fleet, options),
    needy(fleet, options),
    ranked('slowest runs', slowest(fleet.cameras), options, ({ durationMs }) => duration(durationMs)),
    ranked('last run longest ago', longestUnchanged(fleet.cameras), options, ({ since }) => distance(since, options)),
    ranked('seen longest ago', longestUnseen(fleet.cameras), options, ({ seenAt }) => distance(seenAt, options)),
    versions(fleet, options),
    refused(fleet, options),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

const distance = (time: number | null, { now }: FleetTextOptions): string =>
  time === null ? '' : formatDistanceStrict(time, now, { addSuffix: true });

/** Text on one line of this width. What is left out is at its end. */
const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 3))}...`;

/** Lines of words. A longer word has its own line. */
function wrapped(text: string, { width }: FleetTextOptions, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of oneLine(text).split(/\s+/)) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, indent + line];
}

interface Row {
  readonly label: string;
  readonly value: string;
  readonly tone?: Tone;
}

/** Rows with values at the right of a common column. */
function table(rows: readonly Row[], { width, paint }: FleetTextOptions): string[] {
  const right = Math.max(0, ...rows.map(({ value }) => value.length));
  const room = Math.max(8, width - right - 4);
  const left = Math.min(room, Math.max(0, ...rows.map(({ label }) => label.length)));
  return rows.map(({ label, value, tone }) => {
    const line = `  ${cut(oneLine(label), left).padEnd(left)}  ${value.padStart(right)}`;
    return tone === undefined ? line : paint(tone, line);
  });
}

const heading = (text: string, { paint }: FleetTextOptions): string => paint('bold', text);

function totals({ cameras: all, older }: Fleet, options: FleetTextOptions): string[] {
  const counts = new Map(countsOf(all.map(({ status }) => status)));
  const found = STATUS_ORDER.filter((word) => counts.has(word));
  const olderText = older === 0 ? '' : `; ${older} older ${older === 1 ? 'document' : 'documents'} of the same cameras`;
  return [
    ...wrapped(`fleet: ${camerasText(all.length)}${olderText}`, options, '').map((line) => heading(line, options)),
    ...table(
      found.map((word) => ({ label: word, value: String(counts.get(word)), tone: TONES[word] })),
      options,
    ),
  ];
}

function codes({ cameras: all }: Fleet, options: FleetTextOptions): string[] {
  const counts = countsOf(all.flatMap(({ problem }) => problem?.code ?? []));
  if (counts.length === 0) return [];
  const shown = options.all ? counts : counts.slice(0, MAX_CODES);
  const rows = shown.map(([code, count]) => ({ label: code, value: String(count) }));
  return [heading('by code', options), ...table(rows, options), ...more(counts.length - shown.length, '  ', options)];
}

const more = (count: number, indent: string, { paint }: FleetTextOptions): string[] =>
  count <= 0 ? [] : [paint('dim', `${indent}and ${count} more: ${HOW_TO_SEE_ALL}`)];

function needy({ cameras: all }: Fleet, options: FleetTextOptions): string[] {
  const causes = causesOf(all);
  const shown = options.all ? causes : causes.slice(0, MAX_CAUSES);
  const left = causes.slice(shown.length).reduce((sum, { cameras: { length } }) => sum + length, 0);
  return shown
    .flatMap((cause, index) => [...(index === 0 ? [] : ['']), ...causeLines(cause, options)])
    .concat(left === 0 ? [] : ['', options.paint('dim', `${camerasText(left)} with other causes: ${HOW_TO_SEE_ALL}`)]);
}

function causeLines(
  { status, code, server, message, hint, cameras: group }: Cause,
  options: FleetTextOptions,
): string[] {
  const on = server === null ? '' : ` on ${server}`;
  const title = wrapped(`${camerasText(group.length)}: ${code}${on}`, options, '');
  const shown = options.all ? group : group.slice(0, MAX_NAMES);
  return [
    ...title.map((line) => options.paint(TONES[status], line)),
    ...(message === '' ? [] : wrapped(message, options, '  ')),
    ...(hint === '' ? [] : wrapped(`hint: ${hint}`, options, '  ')),
    ...shown.map((camera) => `    ${cut(namedSource(camera), options.width - 4)}`),
    ...more(group.length - shown.length, '    ', options),
  ];
}

/** Name and source, because an operator reaches a camera by its host name, which is often the name of the file. */
const namedSource = ({ name, source }: Camera): string =>
  name === source ? oneLine(source) : `${oneLine(name)}  ${oneLine(source)}`;

function ranked(
  title: string,
  found: readonly Camera[],
  options: FleetTextOptions,
  value: (camera: Camera) => string,
): string[] {
  if (found.length === 0) return [];
  return [
    heading(title, options),
    ...table(
      found.map((camera) => ({ label: camera.name, value: value(camera) })),
      options,
    ),
  ];
}

function versions({ cameras: all }: Fleet, options: FleetTextOptions): string[] {
  const counts = countsOf(all.map(({ agentVersion }) => agentVersion ?? 'no run'));
  if (all.length === 0) return [];
  const rows = counts.slice(0, MAX_CODES).map(([version, count]) => ({ label: version, value: String(count) }));
  return [heading('version of the agent', options), ...table(rows, options)];
}

/** The inputs that are not counted, by kind. Their content is never shown. */
function refused({ refused: named, refusals }: Fleet, options: FleetTextOptions): string[] {
  return REFUSALS.filter((kind) => refusals[kind] > 0).flatMap((kind) => {
    const known = named.filter(({ refusal }) => refusal === kind);
    const shown = options.all ? known : known.slice(0, MAX_NAMES);
    const title = `not counted, ${kind}: ${refusals[kind]}`;
    return [
      kind === 'foreign' ? heading(title, options) : options.paint('red', title),
      ...shown.flatMap((input) => refusedLines(input, options)),
      ...more(refusals[kind] - shown.length, '  ', options),
    ];
  });
}

/** The name is whole as long as a line has room for it, because an operator looks for the file. */
function refusedLines({ source, why }: Refused, options: FleetTextOptions): string[] {
  const name = oneLine(source);
  const line = `  ${name}: ${why}`;
  if (line.length <= options.width) return [line];
  return [`  ${tail(name, options.width - 3)}:`, ...wrapped(why, options, '    ')];
}

/** Text on one line of this width. What is left out is at its start, because the end of a path says more. */
const tail = (text: string, width: number): string =>
  text.length <= width ? text : `...${text.slice(text.length - Math.max(8, width - 3))}`;
