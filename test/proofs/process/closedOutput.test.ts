/** The reader of the log lines may close its end, for example when journald restarts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, inject, it } from 'vitest';
import { makeDeviceFolder } from '../../support/deviceFolder.ts';
import { startServer } from '../../support/server.ts';

/** Runs the shipped program with standard error closed by its reader. @returns the exit status */
async function runUnread(folder: string): Promise<unknown> {
  const agent = spawn(process.execPath, [inject('bundle'), 'run', '--dir', folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { THERMAL_BOARD_ID: 'board-1' },
  });
  agent.stderr.destroy();
  const [status] = await once(agent, 'exit');
  return status;
}

describe.concurrent('a run whose log nobody reads', () => {
  it.for([
    ['without work', false],
    ['that provisions', true],
  ] as const)('%s ends with status 0', async ([, requested], { expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, requested });
    expect(await runUnread(paths.deviceFolder)).toBe(0);
    expect(server.registry.counts.provisionRequests).toBe(requested ? 1 : 0);
  });
});
