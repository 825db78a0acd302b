import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { type AgentEnd, runAgentProcess } from '../../support/agentProcess.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import { expectProvisioned } from '../../support/runChecks.ts';
import { startServer } from '../../support/server.ts';

/** The main thread's event loop delivers the signal; the import continues after it. */
const HOOKS = `
export async function load(url, context, next) {
  if (/\\/dist\\/chunks\\/(program|serviceProgram-\\w+)\\.js$/.test(url)) {
    process.kill(process.pid, process.env.EARLY_SIGNAL);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return next(url, context);
}
`;
const PRELOAD = `
import { register } from 'node:module';
register('./hooks.mjs', import.meta.url);
`;

/** Runs a command that gets a signal while its parts are being loaded. */
async function runSignalled(atEnd: AtEnd, command: string, dir: string, signal: string): Promise<AgentEnd> {
  const folder = await makeFolder(atEnd);
  await writeFile(join(folder, 'hooks.mjs'), HOOKS);
  await writeFile(join(folder, 'preload.mjs'), PRELOAD);
  const env = { NODE_OPTIONS: `--import ${join(folder, 'preload.mjs')}`, EARLY_SIGNAL: signal };
  return runAgentProcess(atEnd, dir, { command: [command], env });
}

describe.concurrent('a signal during the loading of the program', () => {
  it.for([
    ['run', 'SIGTERM'],
    ['run', 'SIGINT'],
    ['start', 'SIGTERM'],
  ] as const)('FR-010: interrupts %s: status 75 after %s', async ([command, signal], { expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const end = await runSignalled(onTestFinished, command, paths.deviceFolder, signal);
    expect({ status: end.status, signal: end.signal }).toEqual({ status: 75, signal: null });
    expect(end.log.at(-1)).toMatchObject({ event: 'run.interrupted' });
    expect(server.registry.counts.provisionRequests).toBe(0);
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
  });

  it('ends normal operation before it starts', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, requested: false });
    const end = await runSignalled(onTestFinished, 'start', paths.deviceFolder, 'SIGTERM');
    expect({ status: end.status, signal: end.signal }).toEqual({ status: 0, signal: null });
    expect(end.log.at(-1)).toMatchObject({ event: 'telemetry.stopped' });
  });

  it('ends a command without clean-up at once', async ({ expect, onTestFinished }) => {
    const { paths } = await makeDeviceFolder(onTestFinished, { port: 1 });
    const end = await runSignalled(onTestFinished, 'status', paths.deviceFolder, 'SIGTERM');
    expect({ status: end.status, signal: end.signal }).toEqual({ status: null, signal: 'SIGTERM' });
  });
});
