/** SIGHUP: it opens the log file anew; a terminal that has gone interrupts a run like SIGTERM; without a terminal the work continues. */
import { spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, inject, it } from 'vitest';
import { hasProgram } from '../../packaging/debianPackage.ts';
import { runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import { expectProvisioned } from '../../support/runChecks.ts';
import { startServer, watchEvents } from '../../support/server.ts';

const SLOW = { on: 'request', nth: 1, action: 'delay', ms: 500 } as const;

const hasScript = await hasProgram('script');
if (!hasScript) console.log('SKIPPED: a terminal that has gone, script of util-linux is not installed');

describe.concurrent('SIGHUP', () => {
  it('does not end a run without a terminal', async ({ expect, onTestFinished }) => {
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { faults: [SLOW], onEvent: watch.onEvent });
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const agent = startAgent(onTestFinished, paths.deviceFolder);
    watch.when('commit', () => agent.child.kill('SIGHUP'));
    const end = await agent.ended;
    expect(end.log.filter(({ event }) => event === 'run.interrupted')).toEqual([]);
    await expectProvisioned(paths, end, server);
  });

  it.skipIf(!hasScript)(
    'of a terminal that has gone interrupts a run, and the next one resumes it',
    async ({ expect, onTestFinished }) => {
      const watch = watchEvents();
      const server = await startServer(onTestFinished, { faults: [SLOW], onEvent: watch.onEvent });
      const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
      const typed = `${process.execPath} ${inject('bundle')} run --dir ${paths.deviceFolder}`;
      const typescript = join(await makeFolder(onTestFinished), 'typescript');
      const terminal = spawn('script', ['--quiet', '--command', typed, typescript], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, THERMAL_BOARD_ID: 'board-1' },
      });
      onTestFinished(() => void terminal.kill('SIGKILL'));
      watch.when('commit', () => terminal.kill('SIGKILL'));
      await expect.poll(() => readFile(paths.events, 'utf8').catch(() => '')).toContain('"run.interrupted"');
      await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
      expect(server.registry.counts.provisionRequests).toBe(1);
    },
  );

  it('opens the log file of start anew', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const config = JSON.stringify({
      thingsboard: { host: 'old.example', port: 1, access_token: 'old', device_id: 'old' },
      telemetry: { interval_seconds: 1 },
      logging: { level: 'debug', output: 'file', log_file: 'logs/client.log' },
    });
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, config });
    const agent = startAgent(onTestFinished, paths.deviceFolder, { command: ['start'] });
    const logFile = join(paths.deviceFolder, 'logs/client.log');
    expect((await agent.logged('log.unwritable')).message).toContain(logFile);
    await mkdir(join(paths.deviceFolder, 'logs'));
    agent.child.kill('SIGHUP');
    await expect.poll(() => readFile(logFile, 'utf8').catch(() => '')).toContain('"log.writable"');
    agent.child.kill('SIGTERM');
    expect((await agent.ended).status).toBe(0);
  });
});
