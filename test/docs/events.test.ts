import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { EventKind } from '../../src/log/events/eventKind.ts';
import { EVENTS } from '../../src/log/events.ts';
import { ROOT, readPage, tablesIn } from './markdown.ts';

const HEADER = ['event', 'level', 'fields', 'meaning'];

const pages = readdirSync(`${ROOT}docs`).filter((name) => name.endsWith('.md'));
const tables = pages
  .flatMap((name) => tablesIn(readPage(`docs/${name}`)))
  .filter(({ header }) => header[0] === 'event');
const documented = tables.flatMap(({ rows }) => rows);

/** Replaces links with their text. */
const withoutLinks = (cell: string): string => cell.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');

const inTable = ([event, { level, fields, optional, meaning }]: [string, EventKind]): readonly string[] => [
  event,
  [level].flat().join(', '),
  Object.keys({ ...fields, ...optional }).join(', '),
  meaning,
];

it('the tables of events in docs/ agree with the catalogue: each event once, with levels, fields and meaning', () => {
  for (const { header } of tables) expect(header).toEqual(HEADER);
  const described = documented.map((row) => row.map(withoutLinks));
  expect(described.sort()).toEqual(Object.entries<EventKind>(EVENTS).map(inTable).sort());
});
