/** Which pages there are, and what they say. */
import { readdirSync } from 'node:fs';
import { prose, ROOT, readPage } from './markdown.ts';

/** Every Markdown page of the project, relative to its folder. */
export const PAGES: readonly string[] = [
  ...readdirSync(ROOT),
  ...readdirSync(`${ROOT}docs`).map((name) => `docs/${name}`),
  'test/README.md',
].filter((name) => name.endsWith('.md'));

const SENTENCE_END = /(?<=[.!?])\s+/;

/** The sentences and table cells of a page of at least `length` characters, without code blocks. */
export function sentencesOf(name: string, length: number): readonly string[] {
  const blocks = prose(readPage(name))
    .join('\n')
    .split(/\n{2,}|\n(?=\s*(?:[-*|#]|\d+\.) ?)|(?<!\\)\|/);
  return blocks
    .flatMap((block) => block.replaceAll(/\s+/g, ' ').trim().split(SENTENCE_END))
    .map((sentence) => sentence.replace(/^(?:[-*]|\d+\.) /, ''))
    .filter((sentence) => sentence.length >= length);
}
