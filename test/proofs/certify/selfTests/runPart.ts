import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** Enough for the build, and for a part of a suite whose agents may hang until their limits. */
const LIMIT_MS = 240_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;

interface SuitePart {
  readonly suite: string;
  readonly scenario: string;
  readonly trial?: string;
}

/**
 * Certifies a part of another project folder with that folder's script, which builds its agent and its suites.
 * @returns the violations
 * @throws when the script ends without a verdict
 */
export function violationsIn(project: string, { suite, scenario, trial }: SuitePart): Promise<readonly string[]> {
  const args = [
    '--only',
    suite,
    '--scenario',
    scenario,
    '--workers',
    '1',
    ...(trial === undefined ? [] : ['--trial', trial]),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(project, 'scripts/certify.mjs'), ...args], {
      cwd: project,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      if (output.length < MAX_OUTPUT_BYTES) output += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    // The script and its children are in one process group.
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, LIMIT_MS);
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      const lines = output.split('\n');
      if (lines.some((line) => /^\d+ passed, \d+ failed, 0 skipped$/.test(line))) {
        resolve(lines.flatMap((line) => /^ {2}VIOLATION (.*)$/.exec(line)?.[1] ?? []));
      } else reject(new Error(`no verdict from ${suite}: ${lines.slice(-5).join(' ').slice(0, 500)}`));
    });
  });
}
