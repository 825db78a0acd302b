/** Runs packaging/thingsboard/setup-profile.sh as an operator does. */

import { execFile, spawnSync } from 'node:child_process';

export interface SetupEnd {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const LIMIT_MS = 60_000;

/** Why the script can't run on this machine; undefined: it can. */
export function missingForSetup(): string | undefined {
  const { status } = spawnSync('sh', ['-c', 'command -v curl && command -v jq'], { stdio: 'ignore' });
  return status === 0 ? undefined : 'curl or jq is not installed';
}

/** @param environment besides PATH */
export function runSetup(
  script: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<SetupEnd> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH, ...environment };
    const child = execFile(script, args, { cwd: '/', env, timeout: LIMIT_MS }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ status: Number(error?.code ?? 0), stdout, stderr });
    });
    child.stdin?.end();
  });
}
