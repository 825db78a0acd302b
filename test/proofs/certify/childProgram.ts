/** Programs of the suites that need their own process: code that may hang, or whose heap is measured. */

import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

export interface ChildProgram {
  /** Runs the program to its end. @param limitMs after this time the program is killed */
  run(args: readonly string[], limitMs: number, nodeOptions?: readonly string[]): Promise<ChildEnd>;
  remove(): Promise<void>;
}

export interface ChildEnd {
  /** Null when the program was killed. */
  readonly status: number | null;
  readonly output: string;
}

/**
 * Builds a program from the sources. The file is below the project, so that Node finds Vitest, which can't be bundled.
 * @param entry path relative to the project's root, which is the current folder
 */
export async function buildChildProgram(name: string, entry: string): Promise<ChildProgram> {
  const outfile = join(process.cwd(), `node_modules/.cache/thermal-provision/${name}-${process.pid}.mjs`);
  await build({
    entryPoints: [join(process.cwd(), entry)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    mainFields: ['module', 'main'],
    external: ['vitest', 'esbuild'],
    banner: { js: REQUIRE },
    logLevel: 'warning',
  });
  return {
    run: (args, limitMs, nodeOptions = []) => runNode([...nodeOptions, outfile, ...args], limitMs),
    remove: () => rm(outfile, { force: true }),
  };
}

function runNode(args: readonly string[], limitMs: number): Promise<ChildEnd> {
  const limits = { timeout: limitMs, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES } as const;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, limits, (_error, stdout, stderr) => {
      resolve({ status: child.exitCode, output: stdout + stderr });
    });
  });
}
