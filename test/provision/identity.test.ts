import { readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { macSuffix } from '../../src/device/deviceName.ts';
import type { DevicePaths } from '../../src/device/paths.ts';
import { readDeviceFiles } from '../../src/status/deviceFiles.ts';
import { makeStatus } from '../../src/status/makeStatus.ts';
import { statusText } from '../../src/status/statusText.ts';
import { deviceFolderFor, runDevice, scene } from '../support/agentRun.ts';
import { putTrigger } from '../support/deviceFiles.ts';
import { makeFolder } from '../support/deviceFolder.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';

const statusOf = async (paths: DevicePaths): Promise<string> => statusText(makeStatus(await readDeviceFiles(paths)));

/** Whether this machine has network hardware: a container has none. */
async function hasNetworkHardware(): Promise<boolean> {
  return macSuffix().then(
    () => true,
    () => false,
  );
}

describe('two boards that ask for the same name', () => {
  const NAMED = { device: { name: 'hall-7' } };

  it('the first gets it; the second fails with DEVICE_NAME_TAKEN, with another token than the first', async () => {
    const { simulator, paths } = await scene({}, NAMED);
    const other = await deviceFolderFor(simulator.port, NAMED);
    expect((await runDevice(paths)).outcome).toBe('provisioned');
    const before = await readFile(other.thermalConfig, 'utf8');
    const run = await runDevice(other, { boardId: 'board-2' });
    expect(run).toMatchObject({ outcome: 'failed', exitStatus: 78, failure: { code: 'DEVICE_NAME_TAKEN' } });
    expect(run.failure?.message).toContain('hall-7');
    expect(run.of('reconcile.refused')).toHaveLength(4);
    expect(await readFile(other.thermalConfig, 'utf8')).toBe(before);
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
  });

  it('at the same time: one gets it, the other fails', async () => {
    const { simulator, paths } = await scene({ latencyMs: 50 }, NAMED);
    const other = await deviceFolderFor(simulator.port, NAMED);
    const runs = await Promise.all([runDevice(paths), runDevice(other, { boardId: 'board-2' })]);
    expect(runs.map(({ outcome }) => outcome).sort()).toEqual(['failed', 'provisioned']);
    expect(runs.find(({ failure }) => failure !== null)?.failure?.code).toBe('DEVICE_NAME_TAKEN');
    const winner = runs[0]?.outcome === 'provisioned' ? paths : other;
    expect(await provisionedProblems(winner, simulator)).toEqual([]);
  });
});

describe('provisioning again', () => {
  it('with a random name: a new device; log and status name the old one for deletion', async () => {
    const { simulator, paths } = await scene({}, { provisioning: { device_name_prefix: 'hall' } });
    const first = await runDevice(paths);
    expect(first.deviceName).toMatch(/^hall-[A-Z0-9]{6}$/);
    await putTrigger(paths);
    const second = await runDevice(paths);
    expect(second.outcome).toBe('provisioned');
    expect(second.deviceName).toMatch(/^hall-[A-Z0-9]{6}$/);
    expect(second.deviceName).not.toBe(first.deviceName);
    expect(second.of('device.former')).toMatchObject([{ details: { former: first.deviceName } }]);
    expect(await statusOf(paths)).toContain(
      `previous device: ${first.deviceName} (no longer used: delete it on its server)\n`,
    );
    expect(await provisionedProblems(paths, simulator, 2)).toEqual([]);
  });

  it('with a fixed name: says which device to delete, or to let the profile check; then it works', async () => {
    const { simulator, paths } = await scene({}, { device: { name: 'hall-7' } });
    await runDevice(paths);
    const before = await readFile(paths.thermalConfig, 'utf8');
    await putTrigger(paths);
    const again = await runDevice(paths);
    expect(again.failure).toMatchObject({ code: 'DEVICE_NAME_TAKEN', exitStatus: 78 });
    expect(again.failure?.message).toContain('this camera is already configured as hall-7');
    expect(again.failure?.hint).toContain(
      'delete the device hall-7 on the server before provisioning this camera again',
    );
    expect(again.failure?.hint).toContain('set the profile to check pre-provisioned devices');
    expect(await readFile(paths.thermalConfig, 'utf8')).toBe(before);
    const status = await statusOf(paths);
    expect(status).toContain('DEVICE_NAME_TAKEN');
    expect(status).toContain('delete the device hall-7');

    simulator.registry.deleteDevice('hall-7');
    const last = await runDevice(paths);
    expect(last).toMatchObject({ outcome: 'provisioned', deviceName: 'hall-7' });
    expect(last.of('device.former')).toEqual([]);
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
  });

  it('with a name from a program, and a clear failure before any request', async () => {
    const program = join(await makeFolder(onTestFinished), 'name');
    await writeFile(program, '#!/bin/sh\necho 7\n', { mode: 0o755 });
    const device = { name_source: `command:${program}`, device_name_prefix: 'hall' };
    const { paths } = await scene({}, { device });
    expect(await runDevice(paths)).toMatchObject({ outcome: 'provisioned', deviceName: 'hall-7' });
    await writeFile(program, '#!/bin/sh\nexit 1\n');
    await putTrigger(paths);
    const run = await runDevice(paths);
    expect(run.failure).toMatchObject({ code: 'PROVISION_JSON_INVALID', exitStatus: 65 });
    expect(run.of('request.sent')).toEqual([]);
  });

  it('with a name from the hardware: the same name each time', async ({ skip }) => {
    if (!(await hasNetworkHardware())) skip('this machine has no network hardware');
    const { simulator, paths } = await scene({}, { device: { name_source: 'mac', device_name_prefix: 'hall' } });
    const first = await runDevice(paths);
    const names = await readdir('/sys/class/net');
    const addresses = await Promise.all(
      names.map(async (name) => {
        const isHardware = await realpath(`/sys/class/net/${name}/device`).catch(() => undefined);
        return isHardware === undefined ? '' : readFile(`/sys/class/net/${name}/address`, 'utf8');
      }),
    );
    const suffixes = addresses.map((address) => address.trim().replaceAll(':', '').slice(-6).toUpperCase());
    expect(suffixes.map((suffix) => `hall-${suffix}`)).toContain(first.deviceName);
    await putTrigger(paths);
    expect((await runDevice(paths)).failure).toMatchObject({ code: 'DEVICE_NAME_TAKEN' });
    simulator.registry.deleteDevice(first.deviceName ?? '');
    await putTrigger(paths);
    expect((await runDevice(paths)).deviceName).toBe(first.deviceName);
  });
});
