import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { STEPS } from '../../../machines/provision.states.ts';
import { runAgentProcess } from '../../support/agentProcess.ts';
import { OLD_CONFIG, OLD_DEVICE } from '../../support/deviceFiles.ts';
import { makeDeviceFolder } from '../../support/deviceFolder.ts';
import { configuredDevice } from '../../support/provisionedDevice.ts';
import { expectNoSecrets, expectProvisioned } from '../../support/runChecks.ts';
import { startServer, watchEvents } from '../../support/server.ts';

describe.concurrent('the shipped program provisions a camera', () => {
  it('FR-001 to FR-009, FR-012, SC-001, P1.1, P1.2, P3.2: from provision.txt to proven credentials within 30 s', async ({
    onTestFinished,
  }) => {
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { onEvent: watch.onEvent });
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    // Proven before written: the device sends its request for attributes while the file is still the old one.
    const configAtProof: string[] = [];
    watch.when('attributeRequest', () => configAtProof.push(readFileSync(paths.thermalConfig, 'utf8')));
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    await expectProvisioned(paths, end, server);
    expect(configAtProof).toEqual([OLD_CONFIG]);
    expect(end.endedAt - end.startedAt).toBeLessThan(30_000);

    const device = await configuredDevice(paths);
    expect(device).toMatchObject({ host: '127.0.0.1', port: server.port });
    expect(device.deviceId).toMatch(/^thermal-camera-[A-Z0-9]{6}$/);
    const backups = (await readdir(paths.deviceFolder)).filter((name) => name.includes('.backup.'));
    expect(backups).toHaveLength(1);
    expect(await readFile(join(paths.deviceFolder, backups.join()), 'utf8')).toBe(OLD_CONFIG);
    const done = end.log.find(({ event }) => event === 'run.provisioned');
    expect(done?.message).toContain(device.deviceId);
    expect(end.log.find(({ event }) => event === 'device.former')?.message).toContain(OLD_DEVICE);
  });

  it('FR-009, SC-006, P3.1, P3.3: every line has time, level, run, state, attempt and a stable event name', async ({
    onTestFinished,
  }) => {
    const server = await startServer(onTestFinished, { faults: [{ on: 'provisionConnect', nth: 1, action: 'close' }] });
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning: { max_retries: 1 } });
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { env: { THERMAL_LOG_LEVEL: 'debug' } });
    await expectProvisioned(paths, end, server);
    expect(end.otherLines).toEqual([]);
    const entered = end.log.filter(({ event }) => event === 'state.entered').map(({ state }) => state);
    expect(entered).toEqual(STEPS.flatMap((step) => (step === 'request' ? [step, step] : [step])));
    expect(new Set(end.log.map(({ runId }) => runId)).size).toBe(1);
    const attempts = end.log.filter(({ event, state }) => event === 'state.entered' && state === 'request');
    expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2]);
    const times = end.log.map(({ time }) => Date.parse(time));
    expect(times).toEqual([...times].sort((a, b) => a - b));

    const kept = (await readFile(paths.events, 'utf8')).trim().split('\n');
    expect(kept).toHaveLength(end.log.filter(({ level }) => level !== 'debug').length);
  });

  it('FR-001, FR-008, P1.3: without provision.txt there is nothing to do, and a second boot sends nothing', async ({
    onTestFinished,
  }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
    const before = await readFile(paths.thermalConfig);
    const connects = server.registry.counts.connects;
    const again = await runAgentProcess(onTestFinished, paths.deviceFolder);
    expect(again).toMatchObject({ status: 0, log: [{ event: 'run.nothing' }] });
    expect(await readFile(paths.thermalConfig)).toEqual(before);
    expect(server.registry.counts.connects).toBe(connects);
    await expectNoSecrets(paths, [again], [server]);
  });

  it('FR-005: the name has the prefix of provision.json; a provisioned camera becomes another device', async ({
    onTestFinished,
  }) => {
    const server = await startServer(onTestFinished, { devices: [{ name: OLD_DEVICE }] });
    const { paths } = await makeDeviceFolder(onTestFinished, {
      port: server.port,
      provisioning: { device_name_prefix: 'hall-7' },
    });
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server, 2);
    expect((await configuredDevice(paths)).deviceId).toMatch(/^hall-7-[A-Z0-9]{6}$/);
  });

  it('FR-004: works with a server before 3.9, which never acknowledges the subscription', async ({
    onTestFinished,
  }) => {
    const server = await startServer(onTestFinished, { legacySuback: true });
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, config: null });
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
  });

  it("FR-006: uses the server's credentials when the server does not accept the device's", async ({
    onTestFinished,
  }) => {
    const devices = [{ name: 'cam-1', credentials: { type: 'ACCESS_TOKEN', token: 'stored-on-the-server' } } as const];
    const server = await startServer(onTestFinished, { strategy: 'CHECK_PRE_PROVISIONED_DEVICES', devices });
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, device: { name: 'cam-1' } });
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
    expect((await configuredDevice(paths)).token).toBe('stored-on-the-server');
  });
});
