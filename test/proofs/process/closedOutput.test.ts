/** What a program does when its output is not read, or can't be kept. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { describe, inject, it } from 'vitest';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
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

/** A document that is only begun must not pass for a whole one. /dev/full is a disk without space. */
it('a document on a full disk ends with status 74', async ({ expect, onTestFinished }) => {
  const folder = await makeFolder(onTestFinished);
  const full = await open('/dev/full', 'w');
  onTestFinished(() => full.close());
  const { status, stderr } = spawnSync(
    process.execPath,
    [inject('bundle'), 'status', '--format', 'json', '--dir', folder],
    { stdio: ['ignore', full.fd, 'pipe'], env: {}, encoding: 'utf8' },
  );
  expect([status, stderr]).toEqual([74, expect.stringContaining('Could not write standard output: ENOSPC')]);
});
