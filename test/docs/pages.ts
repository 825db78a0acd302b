/** The project's pages and their sentences. */
import { readdirSync } from 'node:fs';
import { prose, ROOT, readPage } from './markdown.ts';

/** The path of every Markdown page, relative to the project's folder. */
export const PAGES: readonly string[] = [
  ...readdirSync(ROOT),
  ...readdirSync(`${ROOT}docs`).map((name) => `docs/${name}`),
  'test/README.md',
].filter((name) => name.endsWith('.md'));

const SENTENCE_END = /(?<=[.!?])\s+/;

/** The sentences and table cells of a page with at least `length` characters, without code blocks. */
export function sentencesOf(name: string, length: number): readonly string[] {
  const blocks = prose(readPage(name))
    .join('\n')
    .split(/\n{2,}|\n(?=\s*(?:[-*|#]|\d+\.) ?)|(?<!\\)\|/);
  return blocks
    .flatMap((block) => block.replaceAll(/\s+/g, ' ').trim().split(SENTENCE_END))
    .map((sentence) => sentence.replace(/^(?:[-*]|\d+\.) /, ''))
    .filter((sentence) => sentence.length >= length);
}
