import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../docs/markdown.ts';

/** The standalone package takes a minute on a busy machine. */
const LIMIT_MS = 5 * 60_000;
const call = promisify(execFile);

/** dpkg-deb's facts about a path in the package. */
export interface Entry {
  readonly mode: string;
  readonly owner: string;
  readonly path: string;
}

/** Whether this machine has a program. */
export const hasProgram = (name: string): Promise<boolean> =>
  call('sh', ['-c', `command -v ${name}`]).then(
    () => true,
    () => false,
  );

/** Standard output of a program. */
export async function outputOf(program: string, ...args: readonly string[]): Promise<string> {
  return (await call(program, args, { timeout: LIMIT_MS, maxBuffer: 64 * 1024 * 1024 })).stdout;
}

export interface Build {
  readonly umask?: string;
  readonly zone?: string;
  /** Options of the script. */
  readonly options?: readonly string[];
}

/** Builds a package like `npm run package:deb`, with this umask and time zone. @returns its path */
export async function buildPackage(folder: string, build: Build = {}): Promise<string> {
  const { umask = '022', zone = 'UTC', options = [] } = build;
  const script = [`${ROOT}scripts/packageDeb.mjs`, '--outdir', folder, ...options];
  await call('sh', ['-c', `umask ${umask}; exec "$0" "$@"`, process.execPath, ...script], {
    cwd: '/',
    timeout: LIMIT_MS,
    env: { PATH: process.env.PATH, TZ: zone, HOME: process.env.HOME },
  });
  const [name] = await readdir(folder);
  if (name === undefined) throw new Error('the build made no package');
  return join(folder, name);
}

/** The entries of the package. */
export async function entriesOf(deb: string): Promise<readonly Entry[]> {
  const lines = (await outputOf('dpkg-deb', '--contents', deb)).trimEnd().split('\n');
  return lines.map((line) => {
    const [mode = '', owner = '', , , , path = ''] = line.split(/ +/);
    return { mode, owner, path: path.replace(/^\.\//, '') };
  });
}
