import { cp, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { devicePaths } from '../../../src/device/paths.ts';
import { runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import { makeDeviceFolder, makeFolder, quickProvisionJson } from '../../support/deviceFolder.ts';
import { interruptedRun } from '../../support/interruptedRun.ts';
import { configuredDevice } from '../../support/provisionedDevice.ts';
import { expectFailed, expectNoSecrets, expectProvisioned } from '../../support/runChecks.ts';
import { startServer, watchEvents } from '../../support/server.ts';

describe.concurrent('provision.json changed between interruption and resume', () => {
  it('FR-002: the same server, other limits: the run resumes', async ({ onTestFinished }) => {
    const { paths, server, cut, deviceName } = await interruptedRun(onTestFinished);
    const provisioning = { timeout_seconds: 2, max_retries: 1 };
    await writeFile(paths.provisionJson, quickProvisionJson({ port: server.port, provisioning }));
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    await expectProvisioned(paths, end, server);
    expect((await configuredDevice(paths)).deviceId).toBe(deviceName);
    expect(end.log[0]?.event).toBe('run.resumed');
    expect(end.log[0]?.runId).toBe(cut.log.at(-1)?.runId);
  });

  it('FR-004, SC-004: another server: names the device that may exist; the token never reaches the second server', async ({
    onTestFinished,
  }) => {
    const { paths, server: first, cut, deviceName } = await interruptedRun(onTestFinished);
    const second = await startServer(onTestFinished);
    await writeFile(paths.provisionJson, quickProvisionJson({ port: second.port }));
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    await expectProvisioned(paths, end, second);
    await expectNoSecrets(paths, [cut, end], [first, second]);

    const warning = end.log.find(({ event }) => event === 'credentials.superseded');
    expect(warning).toMatchObject({ level: 'warn' });
    expect(warning?.message).toContain(deviceName);
    expect(warning?.message).toContain(`127.0.0.1:${first.port}`);
    expect(end.log.map(({ event }) => event)).toContain('run.superseded');
    // The connections of request, proof and this test. A probe with the first token would be a fourth connection.
    expect(second.registry.counts).toMatchObject({ connects: 3, provisionRequests: 1, refusedConnects: 0 });
    expect(second.registry.devices()[0]?.token).not.toBe(first.registry.devices()[0]?.token);
    expect(first.registry.counts.connects).toBe(1);
  });

  it('FR-005: another device name on the same server: the first device is named for deletion', async ({
    onTestFinished,
  }) => {
    const { paths, server, deviceName } = await interruptedRun(onTestFinished);
    await writeFile(paths.provisionJson, quickProvisionJson({ port: server.port, device: { name: 'cam-new' } }));
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    await expectProvisioned(paths, end, server, 2);
    expect((await configuredDevice(paths)).deviceId).toBe('cam-new');
    expect(end.log.find(({ event }) => event === 'credentials.superseded')?.message).toContain(
      `an unused device ${deviceName} may exist`,
    );
  });

  it('FR-003: before the request was sent: starts again without a warning, the first server gets no request', async ({
    onTestFinished,
  }) => {
    const { paths, server: first } = await interruptedRun(onTestFinished, {
      at: 'connect',
      server: { faults: [{ on: 'provisionConnect', nth: 1, action: 'refuse', code: 3 }] },
      folder: { provisioning: { max_retries: 3 } },
    });
    const second = await startServer(onTestFinished);
    await writeFile(paths.provisionJson, quickProvisionJson({ port: second.port }));
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    await expectProvisioned(paths, end, second);
    expect(first.registry.counts).toMatchObject({ connects: 1, provisionRequests: 0 });
    expect(first.registry.devices()).toEqual([]);
  });

  it('FR-003: to an invalid file: fails, and resumes with the original file', async ({ onTestFinished }) => {
    const run = await interruptedRun(onTestFinished);
    const { paths, server } = run;
    await writeFile(paths.provisionJson, '{');
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    await expectFailed(run, end, { code: 'PROVISION_JSON_INVALID', server });
    await writeFile(paths.provisionJson, run.provisionJson);
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
    expect(server.registry.counts.provisionRequests).toBe(1);
  });
});

describe.concurrent('provision.json changed during the run', () => {
  it('SC-004: to another server after the first one has issued credentials: a new run starts', async ({
    onTestFinished,
  }) => {
    const watch = watchEvents();
    const first = await startServer(onTestFinished, { onEvent: watch.onEvent, latencyMs: 300 });
    const second = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: first.port });
    const agent = startAgent(onTestFinished, paths.deviceFolder);
    watch.when('commit', () => void writeFile(paths.provisionJson, quickProvisionJson({ port: second.port })));
    const end = await agent.ended;
    await expectProvisioned(paths, end, second);
    await expectNoSecrets(paths, [end], [first, second]);
    expect(end.log.find(({ event }) => event === 'credentials.superseded')?.message).toContain(
      String(first.registry.devices()[0]?.name),
    );
    expect(second.registry.counts).toMatchObject({ connects: 3, refusedConnects: 0 });
  });
});

describe.concurrent('a card that is cloned during a run', () => {
  it('FR-005, SC-005: the clone generates its own name; the first board resumes with its device', async ({
    onTestFinished,
  }) => {
    const { paths, server, deviceName } = await interruptedRun(onTestFinished);
    const clone = devicePaths(await makeFolder(onTestFinished));
    await cp(paths.deviceFolder, clone.deviceFolder, { recursive: true, preserveTimestamps: true });

    const other = await runAgentProcess(onTestFinished, clone.deviceFolder, { env: { THERMAL_BOARD_ID: 'board-2' } });
    await expectProvisioned(clone, other, server, 2);
    const warning = other.log.find(({ event }) => event === 'credentials.foreign');
    expect(warning?.message).toContain(deviceName);
    expect(warning?.message).toContain('cloned');
    expect((await configuredDevice(clone)).deviceId).not.toBe(deviceName);

    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server, 2);
    expect((await configuredDevice(paths)).deviceId).toBe(deviceName);
    expect(await readFile(clone.thermalConfig)).not.toEqual(await readFile(paths.thermalConfig));
  });
});
