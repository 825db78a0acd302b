import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, inject, it } from 'vitest';
import { runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import { fileContentId } from '../../support/contentId.ts';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import { interruptedRun } from '../../support/interruptedRun.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { startServer } from '../../support/server.ts';
import { closedPort } from '../../support/strangeServers.ts';

const YES = ['reset', '--yes'];

describe.concurrent('reset', () => {
  it('abandons an interrupted run: the next start begins a new run', async ({ expect, onTestFinished }) => {
    const { paths, server, config, deviceName } = await interruptedRun(onTestFinished);
    const { output, status } = await runAgentProcess(onTestFinished, paths.deviceFolder, { command: YES });
    expect(status).toBe(0);
    expect(output).toMatch(new RegExp(`An unused device ${deviceName} may be left on 127\\.0\\.0\\.1:${server.port}`));
    expect(await fileContentId(paths.thermalConfig)).toBe(config);
    const left = await readdir(paths.stateFolder);
    expect(left).toEqual([
      expect.stringMatching(/^credentials\.json\.reset-/),
      'events.jsonl',
      expect.stringMatching(/^snapshot\.json\.reset-/),
    ]);
    expect(await readFile(paths.events, 'utf8')).toContain('"event":"run.reset"');
    const after = await runAgentProcess(onTestFinished, paths.deviceFolder, { command: ['status'] });
    expect(after.output).toMatch(/^status: not started\n/);

    await runAgentProcess(onTestFinished, paths.deviceFolder);
    // The device of the abandoned run, and the device of the new run.
    expect(await provisionedProblems(paths, server, 2)).toEqual([]);
  });

  it('needs a terminal or --yes', async ({ expect, onTestFinished }) => {
    const { paths } = await interruptedRun(onTestFinished);
    const before = await readdir(paths.stateFolder);
    const { output, status } = await runAgentProcess(onTestFinished, paths.deviceFolder, { command: ['reset'] });
    expect(status).toBe(64);
    expect(output).toContain('Pass --yes to confirm.');
    expect(await readdir(paths.stateFolder)).toEqual(before);
  });

  it.for([
    ['n', 'Nothing was changed.', 'snapshot.json'],
    ['y', 'The run was given up.', 'events.jsonl'],
  ] as const)('asks on a terminal, and %s is understood', async ([answer, says, stays], { expect, onTestFinished }) => {
    const { paths } = await interruptedRun(onTestFinished);
    const { stdout } = await promisify(execFile)(
      'sh',
      [
        '-c',
        `(sleep 1; echo ${answer}; sleep 1) | script -qec "${process.execPath} ${inject('bundle')} reset --dir ${paths.deviceFolder}" /dev/null`,
      ],
      { timeout: 15_000, env: { ...process.env, THERMAL_BOARD_ID: 'board-1' } },
    );
    expect(stdout).toContain('Give the run up? [y/N]');
    expect(stdout).toContain(says);
    expect(await readdir(paths.stateFolder)).toContain(stays);
  });

  it('is refused while an agent is running', async ({ expect, onTestFinished }) => {
    const { paths } = await makeDeviceFolder(onTestFinished, {
      port: await closedPort(),
      provisioning: { max_retries: 5 },
    });
    const agent = startAgent(onTestFinished, paths.deviceFolder);
    await agent.logged('backoff.waiting');
    const { output, status } = await runAgentProcess(onTestFinished, paths.deviceFolder, { command: YES });
    expect(status).toBe(75);
    expect(output).toContain(`process ${agent.pid}`);
    agent.child.kill('SIGTERM');
    expect((await agent.ended).status).toBe(75);
  });

  it('is refused after the write of the configuration, and the run then finishes', async ({
    expect,
    onTestFinished,
  }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const cut = startAgent(onTestFinished, paths.deviceFolder, {
      intrusions: [{ call: 'rename', path: paths.provisionTxt, act: { do: 'signal', signal: 'SIGKILL' } }],
    });
    expect((await cut.ended).signal).toBe('SIGKILL');
    const { output, status } = await runAgentProcess(onTestFinished, paths.deviceFolder, { command: YES });
    expect(output).toContain('refused: thermal_config.json already holds the new credentials of this run');
    expect(status).toBe(75);
    expect((await runAgentProcess(onTestFinished, paths.deviceFolder)).status).toBe(0);
    expect(await provisionedProblems(paths, server)).toEqual([]);
  });

  it('has nothing to do without a run', async ({ expect, onTestFinished }) => {
    const folder = await makeFolder(onTestFinished);
    const { output, status } = await runAgentProcess(onTestFinished, folder, { command: YES });
    expect([output, status]).toEqual(['No run is known in this folder.\n', 0]);
    const none = await runAgentProcess(onTestFinished, '/nonexistent', { command: YES });
    expect(none.status).toBe(66);
  });
});
