import { formatDistanceStrict } from 'date-fns/formatDistanceStrict';

/** Control characters in a name or message could forge lines, control a terminal or turn the direction of the text. */
const CONTROL = /[\p{Cc}\p{Bidi_Control}]/gu;

/** Text on one line. */
export const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ').replaceAll(CONTROL, '?');

/** Indents every line after the first. */
export const indented = (text: string, indent: number): string =>
  text
    .split('\n')
    .map((line) => line.replaceAll(CONTROL, '?'))
    .join(`\n${' '.repeat(indent)}`);

/** A time and how long ago it was. Text that is not a time stays as it is. */
export function ago(time: string, now: string): string {
  const then = new Date(time);
  if (Number.isNaN(then.getTime())) return oneLine(time);
  return `${oneLine(time)} (${formatDistanceStrict(then, new Date(now), { addSuffix: true })})`;
}
