/** Reads the parts of Markdown that the tests compare with the code. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** @param path relative to the project's folder */
export const readPage = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');

export interface Table {
  readonly header: readonly string[];
  /** Cells without backticks. */
  readonly rows: readonly (readonly string[])[];
}

const FENCE = /^```/;
const SEPARATOR = /^\|[-|: ]+\|$/;

/** The lines outside code blocks. */
export function prose(page: string): string[] {
  let inside = false;
  return page.split('\n').filter((line) => {
    if (!FENCE.test(line)) return !inside;
    inside = !inside;
    return false;
  });
}

const cellsOf = (line: string): string[] =>
  line
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => cell.replaceAll('`', '').trim());

/** Every table of a page, in order. */
export function tablesIn(page: string): readonly Table[] {
  const tables: { header: string[]; rows: string[][] }[] = [];
  let previous = '';
  for (const line of prose(page)) {
    if (SEPARATOR.test(line)) tables.push({ header: cellsOf(previous), rows: [] });
    else if (line.startsWith('|') && previous.startsWith('|')) tables.at(-1)?.rows.push(cellsOf(line));
    previous = line;
  }
  return tables;
}

/** The rows of all tables whose first columns have these titles. @throws when there is no such table */
export function rowsUnder(page: string, ...titles: readonly string[]): readonly (readonly string[])[] {
  const tables = tablesIn(page).filter(({ header }) => titles.every((title, index) => header[index] === title));
  if (tables.length === 0) throw new Error(`no table with the columns ${titles.join(', ')}`);
  return tables.flatMap(({ rows }) => rows);
}

/** The text from a heading to the next one of its level or above. @throws when there is no such heading */
export function sectionOf(page: string, heading: string): string {
  const lines = page.split('\n');
  let isCode = false;
  // A comment in a code block looks like a heading.
  const levels = lines.map((line) => {
    if (FENCE.test(line)) isCode = !isCode;
    return isCode ? 0 : (/^(#+) /.exec(line)?.[1]?.length ?? 0);
  });
  const start = lines.findIndex((line, index) => levels[index] !== 0 && line.replace(/^#+ /, '') === heading);
  if (start === -1) throw new Error(`no heading ${heading}`);
  const level = levels[start] ?? 0;
  const end = levels.findIndex((one, index) => index > start && one !== 0 && one <= level);
  return lines.slice(start, end === -1 ? undefined : end).join('\n');
}

/** Titles of the headings of one level. */
export const headingsOf = (page: string, level: number): readonly string[] =>
  prose(page)
    .filter((line) => line.startsWith(`${'#'.repeat(level)} `))
    .map((line) => line.slice(level + 1));

/** The content of the code blocks in one language. */
export const codeBlocks = (page: string, language: string): readonly string[] =>
  [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, given]) => given === language)
    .map(([, , code = '']) => code);

/** The targets of links and pictures within the project. */
export const relativeLinks = (page: string): readonly string[] =>
  [
    ...prose(page)
      .join('\n')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));

/** The anchors of a page's headings, as code hosts generate them. */
export const anchorsOf = (page: string): ReadonlySet<string> =>
  new Set(
    prose(page)
      .filter((line) => /^#+ /.test(line))
      .map((line) => line.replace(/^#+ /, '').toLowerCase())
      .map((title) => title.replaceAll(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-')),
  );
