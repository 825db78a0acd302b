import { expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { readPage, rowsUnder } from './markdown.ts';

const MAX_LINES = 80;
const readme = readPage('README.md');

it('README.md fits on two screens', () => {
  expect(readme.split('\n').length).toBeLessThanOrEqual(MAX_LINES);
});

it('README.md has every command, and no other', () => {
  const described = rowsUnder(readme, 'command').map(([command]) => command);
  const known = createProgram().commands.map((command) => command.name());
  expect(described.toSorted()).toEqual(known.toSorted());
});
