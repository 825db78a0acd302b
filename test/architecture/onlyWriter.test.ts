/** Only src/files writes to the disk (docs/architecture.md). Checked in the sources, so that no import is missed. */

import { describe, expect, it } from 'vitest';
import { sourcesIn } from './sources.ts';

/**
 * The simulator is not part of a device. The demonstration creates a device folder. The client opens a FIFO for writing
 * to keep it open, but never creates it or writes to it.
 */
const EXEMPT = [/^src\/files\//, /^src\/simulator\//, /^src\/cli\/demo\/playDemo\.ts$/, /^src\/client\/fifo\.ts$/];

/** Functions of node:fs and node:fs/promises that do not change the disk, and types. */
const HARMLESS = new Set([
  ...[
    'access',
    'lstat',
    'fstatSync',
    'lstatSync',
    'opendir',
    'opendirSync',
    'readdir',
    'readFile',
    'readFileSync',
    'readlink',
    'realpath',
    'stat',
    'statSync',
  ],
  ...['statfs', 'watch', 'constants', 'Stats', 'FileHandle'],
]);
/** Harmless only in certain uses, which `misuses` checks. */
const CONDITIONAL = new Set(['open', 'writeSync']);

/** The names that a source imports from node:fs. `*`: a namespace, a default or an import at run time. */
function importedFromFs(text: string): string[] {
  const names: string[] = [];
  const source = text.replaceAll(
    /const (\{[^}]*\}) = process\.getBuiltinModule\((['"]node:fs['"])\)/g,
    'import $1 from $2',
  );
  for (const [, clause = ''] of source.matchAll(/^import\s+([^;]*?)\s+from\s+['"](?:node:)?fs(?:\/promises)?['"]/gm)) {
    const list = /^(?:type\s+)?\{([^}]*)\}$/.exec(clause)?.[1];
    if (list === undefined) names.push('*');
    else {
      const items = list.split(',').map((item) => item.trim().replace(/^type\s+/, ''));
      names.push(...items.map((item) => item.split(/\s+as\s+/)[0] ?? '').filter((name) => name !== ''));
    }
  }
  if (/(?:require|import|getBuiltinModule)\(\s*['"](?:node:)?fs(?:\/promises)?['"]/.test(source)) names.push('*');
  return names;
}

/** Imports and calls in a source that can write. Empty: the source only reads. */
function misuses(source: string): string[] {
  const names = importedFromFs(source);
  const found = names.filter((name) => !HARMLESS.has(name) && !CONDITIONAL.has(name));
  const opens = names.includes('open');
  if (opens && /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND/.test(source)) found.push('open for writing');
  if (opens && /\bopen\([^)]*,\s*['"][^'"]*[wa+]/.test(source)) found.push('open for writing');
  // Descriptors 1 and 2 are the standard streams.
  if (names.includes('writeSync') && /writeSync\((?!\s*(?:[12]|STANDARD_ERROR|STANDARD_OUTPUT)\s*,)/.test(source))
    found.push('writeSync to a file');
  if (/transports\.(?:File|DailyRotateFile)\b/.test(source)) found.push('winston writes a file');
  return found;
}

describe('the sources', () => {
  it('write to the disk in src/files only', () => {
    const writers = sourcesIn('src', 'machines')
      .filter(({ path }) => !EXEMPT.some((pattern) => pattern.test(path)))
      .map(({ path, text }) => ({ path, found: misuses(text) }));
    expect(writers.length).toBeGreaterThan(50);
    expect(writers.filter(({ found }) => found.length > 0)).toEqual([]);
  });

  it('are found in src/files itself', () => {
    const found = sourcesIn('src/files').filter(({ text }) => misuses(text).length > 0);
    expect(found.map(({ path }) => path)).toEqual(
      expect.arrayContaining(
        ['durable', 'ownFiles', 'appendLimited', 'note', 'trialWrite'].map((name) => `src/files/${name}.ts`),
      ),
    );
  });

  it.each([
    ["import { writeFile } from 'node:fs/promises';", ['writeFile']],
    ["import {\n  readFile,\n  rm as remove,\n} from 'fs/promises';", ['rm']],
    ["import * as fs from 'node:fs';", ['*']],
    ["import fs, { stat } from 'fs';", ['*']],
    ["const { statSync, rmSync } = process.getBuiltinModule('node:fs');", ['rmSync']],
    ["process.getBuiltinModule('node:fs').rmSync(path);", ['*']],
    ["const { mkdir } = await import('node:fs/promises');", ['*']],
    ["import { open } from 'node:fs/promises'; await open(path, 'a+');", ['open for writing']],
    ["import { constants, open } from 'node:fs'; open(path, constants.O_RDWR, done);", ['open for writing']],
    ["import { writeSync } from 'node:fs'; writeSync(descriptor, 'x');", ['writeSync to a file']],
    ["import winston from 'winston'; new winston.transports.File({ filename });", ['winston writes a file']],
    ["import { type Stats, open, writeSync } from 'node:fs'; writeSync(1, 'x'); open(path, 'r', done);", []],
  ])('of the form %s are assessed correctly', (source, found) => {
    expect(misuses(source)).toEqual(found);
  });
});
