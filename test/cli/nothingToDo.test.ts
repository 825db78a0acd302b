import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nothingToDo } from '../../src/cli/nothingToDo.ts';
import { scratchFolder } from '../config/scratch.ts';

/** Prints no line where there is nothing to do. */
const QUIET = { THERMAL_LOG_LEVEL: 'error' };

it('ends a boot without work, and no other', async () => {
  const folder = await scratchFolder();
  expect(nothingToDo(['run', '--dir', folder], QUIET)).toBe(true);
  await writeFile(join(folder, 'provision.txt'), '');
  expect(nothingToDo(['run', '--dir', folder], QUIET)).toBe(false);
});

it('counts an empty variable as not set', async () => {
  const names = ['THERMAL_STATE_DIR', 'THERMAL_LOG_FORMAT', 'THERMAL_SPLAY', 'THERMAL_KEEP_BACKUPS'];
  const env = { ...QUIET, ...Object.fromEntries(names.map((name) => [name, ''])) };
  const folder = await scratchFolder();
  expect(nothingToDo(['run', '--dir', folder], env)).toBe(true);
});

it.each([
  ['constructor', 'x'],
  ['toString', 'x'],
  ['__proto__', 'x'],
  ['--log-level', ''],
  ['--splay', ''],
])('leaves %j %j to the parser, which refuses it', async (name, value) => {
  const folder = await scratchFolder();
  expect(nothingToDo(['run', '--dir', folder, name, value], QUIET)).toBe(false);
});
