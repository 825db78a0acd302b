import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { runAgentProcess } from '../../support/agentProcess.ts';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import { interruptedRun } from '../../support/interruptedRun.ts';
import { DEVICE_KEY, DEVICE_SECRET, startServer } from '../../support/server.ts';
import { unprivileged } from '../../support/unprivileged.ts';

describe.concurrent('thermal-provision report', () => {
  it('writes one page about the latest run, without a secret', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    expect((await runAgentProcess(onTestFinished, paths.deviceFolder)).status).toBe(0);
    const out = join(paths.deviceFolder, 'run.html');
    const { status, output } = await runAgentProcess(onTestFinished, paths.deviceFolder, {
      command: ['report', '--out', out],
    });
    expect({ status, output }).toEqual({ status: 0, output: `${out}\n` });
    const page = await readFile(out, 'utf8');
    const [device] = server.registry.devices();
    expect(page).toContain(`This camera is provisioned as ${device?.name}.`);
    expect(page).toContain('<svg role="img" aria-label="Statechart: provision"');
    const { thingsboard } = JSON.parse(await readFile(paths.thermalConfig, 'utf8'));
    for (const secret of [DEVICE_KEY, DEVICE_SECRET, thingsboard.access_token]) expect(page).not.toContain(secret);
    expect((await stat(out)).mode & 0o777).toBe(0o644);
    // A second report replaces the first one.
    const again = await runAgentProcess(onTestFinished, paths.deviceFolder, { command: ['report', '--out', out] });
    expect(again.status).toBe(0);
  });

  it('works on a read-only folder, and prints the page to standard output on request', async (context) => {
    const { expect, onTestFinished } = context;
    const { paths, deviceName } = await interruptedRun(onTestFinished);
    const { status, output } = await runAgentProcess(onTestFinished, paths.deviceFolder, {
      command: ['report', '--out', '-'],
      env: { THERMAL_BOARD_ID: 'another-board' },
    });
    expect(status).toBe(0);
    expect(output).toContain('<!doctype html>');
    expect(output).toContain('The run was interrupted in');
    expect(output).toContain(deviceName);
  });

  it('says what to do without permission to read the state folder', async ({ expect, onTestFinished }) => {
    const { paths } = await interruptedRun(onTestFinished);
    await chmod(paths.stateFolder, 0);
    onTestFinished(() => chmod(paths.stateFolder, 0o700));
    const { status, output } = await runAgentProcess(onTestFinished, paths.deviceFolder, {
      command: ['report', '--out', '-'],
      user: unprivileged,
    });
    expect(status).toBe(0);
    expect(output).toContain('FILE_NOT_PERMITTED');
    expect(output).toContain('Run this command as root or as the agent&#39;s user.');
  });

  it('does not replace a file that is not a report', async ({ expect, onTestFinished }) => {
    const { paths, provisionJson } = await makeDeviceFolder(onTestFinished, { port: 1 });
    const { status, output } = await runAgentProcess(onTestFinished, paths.deviceFolder, {
      command: ['report', '--out', paths.provisionJson],
    });
    expect(status).toBe(64);
    expect(output).toContain('exists and is not a report: it was not overwritten');
    expect(await readFile(paths.provisionJson, 'utf8')).toBe(provisionJson);
  });

  it('reports a missing device folder, or a missing folder for the page', async ({ expect, onTestFinished }) => {
    const folder = await makeFolder(onTestFinished);
    const run = (dir: string, out: string) =>
      runAgentProcess(onTestFinished, dir, { command: ['report', '--out', out] });
    const missing = await run(join(folder, 'nobody'), join(folder, 'run.html'));
    expect(missing.status).toBe(66);
    expect(missing.output).toContain('There is no device folder');
    const nowhere = await run(folder, join(folder, 'no-folder', 'run.html'));
    expect(nowhere.status).toBe(74);
    const without = await runAgentProcess(onTestFinished, folder, { command: ['report'] });
    expect(without.status).toBe(64);
    await writeFile(join(folder, 'empty'), '');
    expect((await run(folder, join(folder, 'empty'))).status).toBe(0);
  });
});
