import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';

/** Without a limit, comparing very different texts could take minutes. */
const LIMIT_MS = 2000;

/** One side of a comparison: its name in the header, and its text. */
export interface Side {
  readonly name: string;
  readonly text: string;
}

/** The unified diff of two texts without secrets; empty when they are equal. */
export function unifiedDiff(before: Side, after: Side): string {
  if (before.text === after.text) return '';
  const [old, now] = [plainLines(before.text), plainLines(after.text)];
  if (old === now) return 'Only the line ends differ.\n';
  const patch = createTwoFilesPatch(before.name, after.name, old, now, undefined, undefined, {
    context: 3,
    timeout: LIMIT_MS,
    headerOptions: FILE_HEADERS_ONLY,
  });
  return patch ?? 'The files differ too much to show the differences line by line.\n';
}

const plainLines = (text: string): string => text.replaceAll('\r\n', '\n');
