import { formatDistanceStrict } from 'date-fns/formatDistanceStrict';

/** Control characters in a name or message must not forge lines, nor command a terminal. */
const CONTROL = /\p{Cc}/gu;

/** Text on one line. */
export const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ').replaceAll(CONTROL, '?');

/** Text of several lines, those after the first indented. */
export const indented = (text: string, indent: number): string =>
  text
    .split('\n')
    .map((line) => line.replaceAll(CONTROL, '?'))
    .join(`\n${' '.repeat(indent)}`);

/** A time for people: as it is, and how long ago. What is no time is shown as it is. */
export function ago(time: string, now: string): string {
  const then = new Date(time);
  if (Number.isNaN(then.getTime())) return oneLine(time);
  return `${oneLine(time)} (${formatDistanceStrict(then, new Date(now), { addSuffix: true })})`;
}
