import { stat } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { readPage, rowsUnder } from './markdown.ts';

const MAX_LINES = 80;
const MAX_PICTURE_BYTES = 150_000;
const readme = readPage('README.md');

it('README.md fits on two screens', () => {
  expect(readme.split('\n').length).toBeLessThanOrEqual(MAX_LINES);
});

it('README.md has every command, and no other', () => {
  const described = rowsUnder(readme, 'command').map(([command]) => command);
  const known = createProgram().commands.map((command) => command.name());
  expect(described.toSorted()).toEqual(known.toSorted());
});

it('README.md shows small pictures, each with a text for people who do not see it', async () => {
  const pictures = [...readme.matchAll(/!\[([^\]]*)\]\(([^)]+)\)/g)];
  expect(pictures.map(([, , path]) => path)).toEqual([
    'docs/pictures/status.svg',
    'docs/pictures/report.png',
    'state-diagrams/provision.svg',
  ]);
  for (const [, text = '', path = ''] of pictures) {
    expect(text.length, path).toBeGreaterThan(40);
    expect((await stat(path)).size, path).toBeLessThan(MAX_PICTURE_BYTES);
  }
});
