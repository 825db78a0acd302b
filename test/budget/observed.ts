import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { z } from 'zod';
import type { AtEnd } from '../support/atEnd.ts';
import { makeFolder } from '../support/deviceFolder.ts';

/** Runs in the thread of Node's module loader: records every file that is loaded as an ES module. */
const HOOKS = `
import { appendFileSync } from 'node:fs';
export async function load(url, context, next) {
  if (url.startsWith('file:')) appendFileSync(process.env.BUDGET_FILES, url + '\\n');
  return next(url, context);
}
`;

/** Runs in the program's thread: counts fsyncs, and writes their number at the end. */
const PRELOAD = `
import { open } from 'node:fs/promises';
import fs, { writeFileSync } from 'node:fs';
import { register, syncBuiltinESMExports } from 'node:module';
let syncs = 0;
const handle = await open('/dev/null');
const prototype = Object.getPrototypeOf(handle);
await handle.close();
for (const name of ['sync', 'datasync']) {
  const original = prototype[name];
  prototype[name] = function () { syncs += 1; return original.call(this); };
}
for (const name of ['fsyncSync', 'fdatasyncSync', 'fsync', 'fdatasync']) {
  const original = fs[name];
  fs[name] = (...args) => { syncs += 1; return original(...args); };
}
syncBuiltinESMExports();
register('./hooks.mjs', import.meta.url);
process.once('exit', () => writeFileSync(process.env.BUDGET_REPORT, String(syncs)));
`;

/** CommonJS without imports, so that the script itself loads no additional module. */
const LIST_BUILTINS = `
process.once('exit', () => {
  const list = JSON.stringify(process.moduleLoadList);
  process.getBuiltinModule('node:fs').writeFileSync(process.env.BUDGET_REPORT, list);
});
`;

const builtinsSchema = z.array(z.string());

export interface Observed {
  readonly status: number | null;
  /** Loaded files of the bundle, relative to its folder. */
  readonly files: readonly string[];
  /** Total size of these files. */
  readonly bytes: number;
  readonly syncs: number;
}

const LIMIT_MS = 30_000;

/** Runs the shipped program, and records the loaded files and the number of fsyncs. */
export async function observe(atEnd: AtEnd, args: readonly string[], signalAfter?: RegExp): Promise<Observed> {
  const folder = await makeFolder(atEnd);
  const [files, report] = [join(folder, 'files.txt'), join(folder, 'report.json')];
  await writeFile(join(folder, 'hooks.mjs'), HOOKS);
  await writeFile(join(folder, 'preload.mjs'), PRELOAD);
  await writeFile(files, '');
  const child = spawn(process.execPath, ['--import', join(folder, 'preload.mjs'), inject('bundle'), ...args], {
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { THERMAL_BOARD_ID: 'board-1', BUDGET_FILES: files, BUDGET_REPORT: report },
    timeout: LIMIT_MS,
  });
  atEnd(() => void child.kill('SIGKILL'));
  let errors = '';
  let signalled = false;
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
    if (signalled || signalAfter?.test(errors) !== true) return;
    signalled = true;
    child.kill('SIGTERM');
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const dist = dirname(inject('bundle'));
  const urls = (await readFile(files, 'utf8')).trim().split('\n');
  const loaded = [...new Set(urls)].filter((url) => url !== '').map((url) => fileURLToPath(url));
  const own = loaded.filter((path) => path.startsWith(`${dist}/`));
  let bytes = 0;
  for (const path of own) bytes += (await readFile(path)).length;
  const syncs = Number(await readFile(report, 'utf8'));
  return { status, files: own.map((path) => relative(dist, path)).sort(), bytes, syncs };
}

async function listBuiltins(folder: string, args: readonly string[]): Promise<readonly string[]> {
  const [preload, report] = [join(folder, 'preload.cjs'), join(folder, 'report.json')];
  await writeFile(preload, LIST_BUILTINS);
  await promisify(execFile)(process.execPath, ['--require', preload, ...args], {
    cwd: '/',
    env: { THERMAL_BOARD_ID: 'board-1', BUDGET_REPORT: report },
    timeout: LIMIT_MS,
  });
  return builtinsSchema.parse(JSON.parse(await readFile(report, 'utf8')));
}

/** The modules of Node that the shipped program loads and an empty program does not. */
export async function loadedBuiltins(atEnd: AtEnd, args: readonly string[]): Promise<readonly string[]> {
  const folder = await makeFolder(atEnd);
  const empty = join(folder, 'empty.mjs');
  await writeFile(empty, '');
  const before = await listBuiltins(folder, [empty]);
  const after = await listBuiltins(folder, [inject('bundle'), ...args]);
  return after.filter((name) => !before.includes(name) && name.startsWith('NativeModule '));
}
