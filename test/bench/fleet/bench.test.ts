import { execFile } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import * as z from 'zod';
import { fleetResultSchema } from '../../../bench/fleet/fleetResult.ts';
import { makeFolder } from '../../support/deviceFolder.ts';

const LIMIT_MS = 60_000;
const SCRIPT = join(import.meta.dirname, '../../../scripts/benchFleet.mjs');
const outputSchema = z.object({ fleets: z.array(fleetResultSchema) });

/** Runs the bench like `npm run bench:fleet`. */
function bench(...args: readonly string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [SCRIPT, ...args], { timeout: LIMIT_MS }, (_error, stdout, stderr) => {
      resolve({ status: child.exitCode, stdout, stderr });
    });
  });
}

const fleetsIn = (stdout: string) => outputSchema.parse(JSON.parse(stdout)).fleets;

it('provisions fleets of several sizes in one process, and removes all files', async ({ onTestFinished }) => {
  const folder = await makeFolder(onTestFinished);
  const { status, stdout, stderr } = await bench('--devices', '2,5', '--folder', folder, '--json');
  expect(stderr).toMatch(/^5\/5 devices, \d+\/s, 0 failed, \d+ s$/m);
  expect(status).toBe(0);
  const fleets = fleetsIn(stdout);
  expect(fleets).toMatchObject([
    { devices: 2, succeeded: 2, problems: [], simulator: { registered: 2 } },
    { devices: 5, succeeded: 5, problems: [], simulator: { registered: 5, counts: { provisionRequests: 5 } } },
  ]);
  expect(await readdir(folder)).toEqual([]);
});

it('provisions a fleet with a process for each device', async ({ onTestFinished }) => {
  const folder = await makeFolder(onTestFinished);
  const agent = ['--processes', '--agent', inject('bundle')];
  const { status, stdout } = await bench('--devices', '4', ...agent, '--folder', folder, '--json', '--quiet');
  expect(status).toBe(0);
  expect(fleetsIn(stdout)).toMatchObject([{ succeeded: 4, processes: true, simulator: { registered: 4 } }]);
});

it('counts failed devices by their code, and ends with status 1', async ({ onTestFinished }) => {
  const folder = await makeFolder(onTestFinished);
  const agent = join(folder, 'agent.mjs');
  const line = JSON.stringify({ event: 'run.failed', code: 'CONNECT_TIMEOUT' });
  await writeFile(agent, `process.stderr.write(${JSON.stringify(`${line}\n`)}); process.exitCode = 69;\n`);
  const { status, stdout } = await bench('--devices', '2', '--processes', '--agent', agent, '--folder', folder);
  expect(stdout).toMatch(/^failed, by code +CONNECT_TIMEOUT 2$/m);
  expect(status).toBe(1);
});

it('prints its help, and ends with status 64 for unknown options', async () => {
  expect(await bench('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--concurrency') });
  expect(await bench('--fleet')).toMatchObject({ status: 64, stderr: expect.stringContaining('--concurrency') });
});
