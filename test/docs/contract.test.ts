import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { headingsOf, ROOT, readPage } from './markdown.ts';

const CITATION = /docs\/thingsboard\.md,\s+(?:\*\s+)?sections? ([\d, and]+)/g;

const sections = headingsOf(readPage('docs/thingsboard.md'), 2).map((title) => title.split('.')[0]);

/** Every citation of a section of the contract: the file and the section's number. */
const citations = ['machines', 'src', 'test'].flatMap((folder) =>
  readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) =>
      [...readFileSync(`${ROOT}${folder}/${name}`, 'utf8').matchAll(CITATION)].flatMap(([, list = '']) =>
        [...list.matchAll(/\d+/g)].map(([number]) => ({ file: `${folder}/${name}`, number })),
      ),
    ),
);

it('the sections of docs/thingsboard.md have consecutive numbers', () => {
  expect(sections).toEqual(sections.map((_, index) => String(index + 1)));
});

it('every section that a source cites exists', () => {
  expect(citations.length).toBeGreaterThan(20);
  expect(citations.filter(({ number }) => !sections.includes(number))).toEqual([]);
});
