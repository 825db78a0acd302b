/** With DEBUG=* libraries that use the package debug would print keys and tokens (scripts/build.mjs). */

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, inject, it } from 'vitest';
import type { Simulator } from '../../../src/simulator/simulator.ts';
import { runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import { expectProvisioned } from '../../support/runChecks.ts';
import { assertNoSecrets } from '../../support/secretSearch.ts';
import { DEVICE_KEY, DEVICE_SECRET, startServer } from '../../support/server.ts';

const EVERYTHING = { DEBUG: '*' };
const LIMIT_MS = 30_000;

/** The key and secret of a run, and its token. */
function secretsOf({ registry }: Simulator): readonly string[] {
  const tokens = registry.devices().flatMap(({ token }) => token ?? []);
  if (tokens.length === 0) throw new Error('no device was registered: there is no token to search for');
  return [DEVICE_KEY, DEVICE_SECRET, ...tokens];
}

describe.concurrent('DEBUG=* shows no secret', () => {
  it('of run', async ({ onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { env: EVERYTHING });
    await expectProvisioned(paths, end, server);
    await assertNoSecrets(paths.deviceFolder, end.output, secretsOf(server));
  });

  it('of start', async ({ onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const agent = startAgent(onTestFinished, paths.deviceFolder, { command: ['start'], env: EVERYTHING });
    await agent.logged('session.connected');
    agent.child.kill('SIGTERM');
    await assertNoSecrets(paths.deviceFolder, (await agent.ended).output, secretsOf(server));
  });

  it('of the library', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const library = pathToFileURL(join(dirname(inject('bundle')), 'index.js')).href;
    const program = join(await makeFolder(onTestFinished), 'program.mjs');
    await writeFile(
      program,
      `const { provision } = await import('${library}');
      const { outcome } = await provision({ dir: process.argv[2], onLog: (record) => console.log(record) });
      console.log(outcome);`,
    );
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, paths.deviceFolder], {
      env: EVERYTHING,
      timeout: LIMIT_MS,
    });
    expect(stdout).toMatch(/^provisioned$/m);
    await assertNoSecrets(paths.deviceFolder, stdout + stderr, secretsOf(server));
  });
});
