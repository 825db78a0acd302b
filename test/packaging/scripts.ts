import { execFile } from 'node:child_process';
import { ROOT } from '../docs/markdown.ts';

/** For tests that build bundles, also on a busy machine. */
export const BUILDS_LIMIT_MS = 180_000;

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Node with these arguments in the project's folder, with further environment variables. */
export function runNode(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = {
      cwd: ROOT,
      timeout: BUILDS_LIMIT_MS,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, ...env },
    };
    const child = execFile(process.execPath, args, options, (_error, stdout, stderr) => {
      resolve({ status: child.exitCode, stdout, stderr });
    });
  });
}

/**
 * Evaluates an expression with the exports of a script, `script`, and with `input`.
 * @param script its path in the project
 * @returns its value by way of JSON
 * @throws with the script's standard error
 */
export async function evaluate(
  script: string,
  expression: string,
  input: unknown,
  env: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const program = `import * as script from ${JSON.stringify(`file://${ROOT}${script}`)};
    const input = ${JSON.stringify(input ?? null)};
    console.log(JSON.stringify(await (${expression})));`;
  const { status, stdout, stderr } = await runNode(['--input-type=module', '--eval', program], env);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
