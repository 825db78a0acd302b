import { execFileSync } from 'node:child_process';
import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DevicePaths, devicePaths } from '../../src/device/paths.ts';
import { readDeviceFiles } from '../../src/status/deviceFiles.ts';
import { makeStatus } from '../../src/status/makeStatus.ts';
import { readStorage } from '../../src/status/storage.ts';
import { deviceFolderFor, runDevice } from '../support/agentRun.ts';
import { MOUNT_REFUSED, mountedFolder } from '../support/mountedFolder.ts';

const statusOf = async (paths: DevicePaths) => makeStatus(await readDeviceFiles(paths, { boardId: 'board-1' }));

/** A device folder on a file system of its own; undefined where mounting is not allowed. */
async function mountedDevice(options: string): Promise<DevicePaths | undefined> {
  const folder = await mountedFolder(options);
  if (folder === undefined) return undefined;
  const { provisionJson } = await deviceFolderFor(1883);
  execFileSync('cp', ['-p', provisionJson, folder]);
  const paths = devicePaths(folder);
  await writeFile(paths.provisionTxt, '');
  return paths;
}

describe('a failure that could not be recorded', () => {
  it('on a read-only file system shows in status, with the code of the run', async (context) => {
    const paths = await mountedDevice('size=4m');
    if (paths === undefined) return context.skip(MOUNT_REFUSED);
    execFileSync('mount', ['-o', 'remount,ro', paths.deviceFolder]);
    const run = await runDevice(paths);
    const status = await statusOf(paths);
    expect(run.failure?.code).toBe('FOLDER_NOT_WRITABLE');
    expect(status).toMatchObject({ status: 'error', exitStatus: 1, errors: [{ code: 'FOLDER_NOT_WRITABLE' }] });
    expect(status.errors[0]?.message).toContain('read-only');
    expect(status.next?.text).toContain('Do what the hint says');
  });

  it.each([
    ['space', 'size=1m', 'Only '],
    ['inodes', 'size=4m,nr_inodes=3', 'more files can be created'],
  ])('without free %s shows in status', async (_what, options, message) => {
    const paths = await mountedDevice(options);
    // it.each has no context to skip with; the test above says why.
    if (paths === undefined) return;
    const run = await runDevice(paths);
    // The run may have recorded something before it failed.
    await rm(paths.stateFolder, { recursive: true, force: true });
    if (options.includes('nr_inodes')) await writeFile(join(paths.deviceFolder, 'filler'), '').catch(() => {});
    const status = await statusOf(paths);
    expect(run.failure?.code).toBe('DISK_FULL');
    expect(status).toMatchObject({ status: 'error', errors: [{ code: 'DISK_FULL' }] });
    expect(status.errors[0]?.message).toContain(message);
  });
});

describe('the storage of a device', () => {
  it('is not a problem while nothing asks for a run', async (context) => {
    const paths = await mountedDevice('size=4m');
    if (paths === undefined) return context.skip(MOUNT_REFUSED);
    await rm(paths.provisionTxt);
    execFileSync('mount', ['-o', 'remount,ro', paths.deviceFolder]);
    expect((await statusOf(paths)).status).toBe('not started');
  });

  it('includes the folder that a linked configuration is in, and a state folder elsewhere', async (context) => {
    const { deviceFolder, thermalConfig } = await deviceFolderFor(1883, { config: null });
    const readOnly = await mountedFolder('size=4m,ro');
    if (readOnly === undefined) return context.skip(MOUNT_REFUSED);
    const read = async (stateFolder?: string) => (await readStorage(devicePaths(deviceFolder, stateFolder))).problem;
    expect(await read()).toBeUndefined();
    expect((await read(join(readOnly, 'state')))?.message).toContain(readOnly);
    expect((await read(readOnly))?.message).toContain(readOnly);
    execFileSync('mount', ['-o', 'remount,rw', readOnly]);
    await writeFile(join(readOnly, 'config'), '{}');
    execFileSync('mount', ['-o', 'remount,ro', readOnly]);
    await symlink(join(readOnly, 'config'), thermalConfig);
    expect((await read())?.message).toContain(readOnly);
  });

  it('must have room for the configuration, its backup and a copy', async (context) => {
    const paths = await mountedDevice('size=3m');
    if (paths === undefined) return context.skip(MOUNT_REFUSED);
    expect((await readStorage(paths)).problem).toBeUndefined();
    await writeFile(paths.thermalConfig, Buffer.alloc(700_000));
    expect((await readStorage(paths)).problem).toMatchObject({ code: 'DISK_FULL' });
  });
});
