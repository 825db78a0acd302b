import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { parseProvisionJson } from '../../src/config/provision/provisionJson.ts';
import { anchorsOf, codeBlocks, ROOT, readPage, relativeLinks } from './markdown.ts';
import { PAGES, sentencesOf } from './pages.ts';

const MAX_COLUMNS = 120;
/** Shorter sentences can be equal by chance. */
const LONG_SENTENCE = 50;
/** Removed files that CHANGELOG.md names. */
const NOT_THERE = ['docs/operations.md'];

describe.each(PAGES)('%s', (name) => {
  const page = readPage(name);

  it('has lines of at most 120 columns', () => {
    expect(page.split('\n').filter((line) => [...line].length > MAX_COLUMNS)).toEqual([]);
  });

  it('has relative links with existing targets', () => {
    const broken = relativeLinks(page).filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? join(ROOT, name) : join(ROOT, dirname(name), path);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names files and folders of the project that exist', () => {
    const named = [...page.matchAll(/`((?:machines|src|test|scripts|docs|packaging|bench)\/[\w./-]*)`/g)];
    const missing = named.map(([, path = '']) => path).filter((path) => !existsSync(join(ROOT, path)));
    expect(missing.filter((path) => !NOT_THERE.includes(path))).toEqual([]);
  });

  it('has JSON examples that parse', () => {
    for (const example of codeBlocks(page, 'json')) expect(() => JSON.parse(example)).not.toThrow();
  });
});

it('no two pages have the same sentence', () => {
  const places = new Map<string, Set<string>>();
  for (const name of PAGES) {
    for (const sentence of sentencesOf(name, LONG_SENTENCE)) {
      places.set(sentence, (places.get(sentence) ?? new Set()).add(name));
    }
  }
  const repeated = [...places].filter(([, names]) => names.size > 1);
  expect(repeated.map(([sentence, names]) => `${[...names].join(', ')}: ${sentence}`)).toEqual([]);
});

const shown = PAGES.flatMap((name) =>
  codeBlocks(readPage(name), 'sh').flatMap((block) =>
    [...block.matchAll(/^(?:.* )?(thermal-provision [a-z][^#|\n]*)/gm)].map(([, line = '']) => ({ name, line })),
  ),
);

it.each(shown)('$name shows a valid command line: $line', ({ line }) => {
  const [, name, ...words] = line.trim().split(' ');
  const command = createProgram().commands.find((one) => one.name() === name);
  const known = command?.options.map(({ long }) => long);
  expect(known).toEqual(expect.arrayContaining(words.filter((word) => word.startsWith('--'))));
});

describe('the examples of provision.json', () => {
  const examples = PAGES.flatMap((name) =>
    codeBlocks(readPage(name), 'json')
      .filter((example) => example.includes('device_key'))
      .map((example) => ({ name, example })),
  );

  it('are on the pages on which an operator writes the file', () => {
    const names = examples.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['README.md', 'docs/getting-started.md', 'docs/files.md']));
  });

  it.each(examples)('are accepted without a warning when "…" is filled in: $name', ({ example }) => {
    const { warnings } = parseProvisionJson(Buffer.from(example.replaceAll('…', 'filled-in')));
    expect(warnings).toEqual([]);
  });
});
