import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { DevicePaths } from '../../../src/device/paths.ts';
import { runAgentProcess } from '../../support/agentProcess.ts';
import { putTrigger } from '../../support/deviceFiles.ts';
import { makeDeviceFolder } from '../../support/deviceFolder.ts';
import { interruptedRun } from '../../support/interruptedRun.ts';
import type { Intrusion } from '../../support/intrusion.ts';
import { expectNoSecrets, expectProvisioned } from '../../support/runChecks.ts';
import { startServer, watchEvents } from '../../support/server.ts';

const drop = ({ provisionTxt }: DevicePaths) => ({ do: 'write', path: provisionTxt, text: 'again' }) as const;

describe.concurrent('FR-008: a new provision.txt requests another provisioning', () => {
  it.for<{ name: string; at: Omit<Intrusion, 'act'> }>([
    { name: 'right before finalize checks it', at: { call: 'stat', path: '/provision.txt', nth: 3 } },
    { name: 'during finalize', at: { call: 'rename', path: '/provision.txt.processed' } },
    { name: 'right after the rename', at: { call: 'rename', path: '/provision.txt.processed', after: true } },
    { name: 'right before the last step', at: { call: 'unlink', path: '/credentials.json' } },
    { name: 'right after the last step', at: { call: 'unlink', path: '/credentials.json', after: true } },
  ])('$name', async ({ at }, { onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, {
      intrusions: [{ ...at, act: drop(paths) }],
    });
    expect(end).toMatchObject({ status: 0, signal: null });
    expect(await readdir(paths.deviceFolder)).toContain('provision.txt');
    expect(server.registry.devices()).toHaveLength(1);
    await expectNoSecrets(paths, [end], [server]);

    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server, 2);
  });

  it('during the request to the server', async ({ onTestFinished }) => {
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { latencyMs: 200, onEvent: watch.onEvent });
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    watch.when('request', () => void rm(paths.provisionTxt).then(() => putTrigger(paths)));
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    expect(end.status).toBe(0);
    expect(end.log.map(({ event }) => event)).toContain('trigger.newer');
    expect(await readdir(paths.deviceFolder)).toContain('provision.txt');
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server, 2);
  });

  it('while an interrupted run waits for the next boot: the resumed run completes it', async ({ onTestFinished }) => {
    const { paths, server } = await interruptedRun(onTestFinished);
    await rename(paths.provisionTxt, `${paths.provisionTxt}.old`);
    await writeFile(paths.provisionTxt, 'again');
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
  });

  it('FR-001: removed during a run: withdrawn, nothing more is sent, names the device that may exist', async ({
    onTestFinished,
  }) => {
    const { paths, server, deviceName } = await interruptedRun(onTestFinished);
    await rm(paths.provisionTxt);
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    expect(end).toMatchObject({ status: 0, signal: null });
    expect(end.log.at(-1)).toMatchObject({ event: 'run.withdrawn', level: 'warn' });
    expect(end.log.at(-1)?.message).toContain(deviceName);
    expect(server.registry.counts.connects).toBe(1);

    await putTrigger(paths);
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
  });
});
