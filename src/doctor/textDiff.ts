import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';

/** Texts that differ everywhere could be compared for minutes. */
const LIMIT_MS = 2000;

/** One side of a comparison: how its header names it, and its lines. */
export interface Side {
  readonly name: string;
  readonly text: string;
}

/** The unified diff of two texts; empty when they are equal. The texts hold no secrets any more. */
export function unifiedDiff(before: Side, after: Side): string {
  if (before.text === after.text) return '';
  const [old, now] = [plainLines(before.text), plainLines(after.text)];
  if (old === now) return 'The two differ in line ends only.\n';
  const patch = createTwoFilesPatch(before.name, after.name, old, now, undefined, undefined, {
    context: 3,
    timeout: LIMIT_MS,
    headerOptions: FILE_HEADERS_ONLY,
  });
  return patch ?? 'The two differ so much that no difference can be shown line by line.\n';
}

const plainLines = (text: string): string => text.replaceAll('\r\n', '\n');
