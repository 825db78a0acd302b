import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The shipped program: main.js of the bundle that was built for this test run. */
    bundle: string;
    /** A module for Node's --import: support/intruder.ts, compiled. */
    intruder: string;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const BUILD_LIMIT_MS = 60_000;

/**
 * Vitest's global set-up: builds the bundle once, in its own folder. A build in dist/ during the tests or another umask
 * can't change the program under test.
 */
export default async function buildBundle(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'thermal-bundle-'));
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'package.json'), '{"type":"module"}\n');
  await promisify(execFile)(process.execPath, [join(root, 'scripts/build.mjs'), join(folder, 'dist')], {
    timeout: BUILD_LIMIT_MS,
  });
  const intruder = join(folder, 'intruder.js');
  await build({
    entryPoints: [join(root, 'test/support/intruder.ts')],
    outfile: intruder,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'warning',
  });
  project.provide('bundle', join(folder, 'dist/main.js'));
  project.provide('intruder', intruder);
  return () => rm(folder, { recursive: true, force: true });
}
