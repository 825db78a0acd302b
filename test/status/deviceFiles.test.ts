import { mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, it } from 'vitest';
import { acquireLock } from '../../src/device/lock.ts';
import { type DevicePaths, devicePaths } from '../../src/device/paths.ts';
import { writeCredentials } from '../../src/state/credentials.ts';
import { readDeviceFiles } from '../../src/status/deviceFiles.ts';
import { accessToken } from '../support/accessToken.ts';
import type { AtEnd } from '../support/atEnd.ts';
import { OLD_DEVICE, OLD_TOKEN } from '../support/deviceFiles.ts';
import { makeDeviceFolder, makeFolder } from '../support/deviceFolder.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../support/server.ts';
import { runIn } from '../support/statusFiles.ts';

const BOARD = { boardId: 'board-1' };
const TOKEN = 'drawn0000000000token';

const credentials = {
  target: { digest: '0123', host: 'tb.example', port: 1883 },
  board: { serial: '04d8', machine: null },
  candidates: [{ nameIndex: 1, name: 'cam-1', credentials: accessToken(TOKEN), runId: 'run-1', answered: false }],
  granted: { deviceName: 'cam-1', credentials: accessToken(TOKEN), successSeenBy: null },
};

/** A device folder in the middle of a run, with every file. */
async function fullFolder(atEnd: AtEnd): Promise<DevicePaths> {
  const { paths } = await makeDeviceFolder(atEnd, { port: 1883 });
  await mkdir(paths.stateFolder, { mode: 0o700 });
  await writeFile(paths.snapshot, JSON.stringify(runIn('request')));
  await writeCredentials(paths.credentials, credentials);
  await writeFile(paths.lock, '4242\n');
  await writeFile(join(paths.stateFolder, 'snapshot.json.damaged-20261123T100000.000Z'), '');
  await writeFile(join(paths.deviceFolder, 'thermal_config.json.backup.20261123T100000.000Z'), '{}');
  const record = { time: '2026-11-23T10:00:00.000Z', level: 'info', runId: null, state: null, attempt: null };
  await writeFile(paths.events, `${JSON.stringify({ ...record, event: 'run.nothing', message: 'm' })}\n`);
  return paths;
}

const PARTS = ['folder', 'trigger', 'processed', 'target', 'snapshot', 'credentials', 'config', 'events'] as const;

/** The parts that have a problem, with its code. */
async function problemsOf(paths: DevicePaths): Promise<Record<string, string>> {
  const files = await readDeviceFiles(paths, BOARD);
  const parts = [...PARTS, 'backups', 'setAside'] as const;
  return Object.fromEntries(
    parts.flatMap((name) => {
      const { problem } = files[name];
      return problem === undefined ? [] : [[name, problem.code]];
    }),
  );
}

describe.concurrent('reading a device', () => {
  it('finds every file', async ({ expect, onTestFinished }) => {
    const paths = await fullFolder(onTestFinished);
    await utimes(paths.provisionTxt, 1000, 1000);
    const files = await readDeviceFiles(paths, { ...BOARD, now: 7 });
    expect(await problemsOf(paths)).toEqual({});
    expect(files).toMatchObject({ readAt: 7, holder: null, lockNote: 4242 });
    expect(files.trigger.value).toBe(1_000_000);
    expect(files.processed.value).toBeNull();
    expect(files.target.value).toMatchObject({ host: '127.0.0.1', port: 1883, useSsl: false });
    expect(files.snapshot.value?.state).toBe('request');
    expect(files.credentials.value).toMatchObject({ names: ['cam-1'], generatedBy: ['run-1'], granted: 'cam-1' });
    expect(files.config.value).toMatchObject({ deviceId: OLD_DEVICE, host: 'old.example', runId: null });
    expect(files.events.value?.records.map(({ event }) => event)).toEqual(['run.nothing']);
    expect(files.backups.value).toHaveLength(1);
    expect(files.setAside.value).toEqual(['snapshot.json.damaged-20261123T100000.000Z']);
  });

  it('finds what may be meant as a missing provision.txt or provision.json, and no request in a folder', async ({
    expect,
    onTestFinished,
  }) => {
    const paths = await fullFolder(onTestFinished);
    expect((await readDeviceFiles(paths, BOARD)).nearMisses).toEqual({ trigger: [], provisionJson: [] });
    await rm(paths.provisionTxt);
    await mkdir(paths.provisionTxt);
    await rename(paths.provisionJson, `${paths.provisionJson}.txt`);
    const { trigger, target, nearMisses } = await readDeviceFiles(paths, BOARD);
    expect([trigger.value, target.value]).toEqual([null, null]);
    expect(nearMisses).toEqual({
      trigger: ['"provision.txt" (a folder)'],
      provisionJson: ['"provision.json.txt"'],
    });
  });

  it('gives no secret', async ({ expect, onTestFinished }) => {
    const files = await readDeviceFiles(await fullFolder(onTestFinished), BOARD);
    const shown = inspect(files, { depth: null }) + JSON.stringify(files);
    for (const secret of [TOKEN, OLD_TOKEN, DEVICE_KEY, DEVICE_SECRET]) expect(shown).not.toContain(secret);
  });

  it('changes nothing', async ({ expect, onTestFinished }) => {
    const paths = await fullFolder(onTestFinished);
    await writeFile(paths.snapshot, 'damaged');
    const content = async () => [
      await readdir(paths.deviceFolder),
      await readdir(paths.stateFolder),
      await readFile(paths.snapshot, 'utf8'),
    ];
    const before = await content();
    await readDeviceFiles(paths, BOARD);
    expect(await content()).toEqual(before);
  });

  it('of an empty folder finds no files and no problem', async ({ expect, onTestFinished }) => {
    const paths = devicePaths(await makeFolder(onTestFinished));
    expect(await problemsOf(paths)).toEqual({});
    const files = await readDeviceFiles(paths);
    expect([files.trigger, files.target, files.snapshot, files.credentials, files.config]).toEqual(
      Array.from({ length: 5 }, () => ({ value: null, problem: undefined })),
    );
    expect(files.setAside.value).toEqual([]);
  });

  it('of a missing folder has the problem DEVICE_FOLDER_MISSING', async ({ expect, onTestFinished }) => {
    const folder = await makeFolder(onTestFinished);
    expect(await problemsOf(devicePaths(join(folder, 'none')))).toMatchObject({ folder: 'DEVICE_FOLDER_MISSING' });
    await writeFile(join(folder, 'file'), '');
    expect(await problemsOf(devicePaths(join(folder, 'file')))).toMatchObject({ folder: 'DEVICE_FOLDER_MISSING' });
    await symlink('loop', join(folder, 'loop'));
    expect(await problemsOf(devicePaths(join(folder, 'loop')))).toMatchObject({ folder: 'DISK_ERROR' });
  });

  it.for([
    ['target', 'PROVISION_JSON_INVALID', (paths: DevicePaths) => writeFile(paths.provisionJson, '{')],
    ['snapshot', 'SNAPSHOT_DAMAGED', (paths: DevicePaths) => writeFile(paths.snapshot, '{')],
    [
      'snapshot',
      'SNAPSHOT_NEWER',
      (paths: DevicePaths) => writeFile(paths.snapshot, '{"format":"thermal-provision-snapshot","version":99}'),
    ],
    ['credentials', 'CREDENTIALS_DAMAGED', (paths: DevicePaths) => writeFile(paths.credentials, '{')],
    ['credentials', 'CREDENTIALS_DAMAGED', (paths: DevicePaths) => writeFile(paths.credentials, '{}')],
    [
      'credentials',
      'CREDENTIALS_NEWER',
      (paths: DevicePaths) => writeFile(paths.credentials, '{"format":"thermal-provision-credentials","version":99}'),
    ],
    [
      'config',
      'CONFIG_UNREADABLE',
      async (paths: DevicePaths) => {
        await rm(paths.thermalConfig);
        await mkdir(paths.thermalConfig);
      },
    ],
    [
      'events',
      'EVENTS_UNREADABLE',
      async (paths: DevicePaths) => {
        await rm(paths.events);
        await mkdir(paths.events);
      },
    ],
    ['trigger', 'DISK_ERROR', (paths: DevicePaths) => loop(paths.provisionTxt)],
  ] as const)('limits a problem of %s to that part: %s', async ([part, code, spoil], { expect, onTestFinished }) => {
    const paths = await fullFolder(onTestFinished);
    await spoil(paths);
    expect(await problemsOf(paths)).toEqual({ [part]: code });
  });

  it('recognizes a folder of another board', async ({ expect, onTestFinished }) => {
    const paths = await fullFolder(onTestFinished);
    const files = await readDeviceFiles(paths, { boardId: 'another' });
    expect(files.credentials.value?.foreign).toBe(true);
  });

  it('reads the device from a configuration that the camera could not load', async ({ expect, onTestFinished }) => {
    const paths = await fullFolder(onTestFinished);
    const name = async (text: string) => {
      await writeFile(paths.thermalConfig, text);
      return (await readDeviceFiles(paths, BOARD)).config.value;
    };
    const text = JSON.stringify({ thingsboard: { device_id: 'cam-1', port: '1' }, provisioning: { run_id: 'r' } });
    expect(await name(text)).toMatchObject({ deviceId: 'cam-1', port: null, runId: 'r', fingerprint: null });
    expect(await name('{"thingsboard":[],"provisioning":7}')).toMatchObject({ deviceId: null, runId: null });
    const broken = await name('{');
    expect(broken).toMatchObject({ deviceId: null });
    expect(broken?.problems).not.toEqual([]);
    expect(await name(JSON.stringify({ thingsboard: { device_id: 'x'.repeat(256) } }))).toMatchObject({
      deviceId: null,
    });
  });

  it('finds the process of the running agent', async ({ expect, onTestFinished }) => {
    const paths = await fullFolder(onTestFinished);
    const lock = await acquireLock(paths.stateFolder);
    expect((await readDeviceFiles(paths, BOARD)).holder).toBe(process.pid);
    await lock.release();
    await writeFile(paths.lock, 'not a pid');
    expect(await readDeviceFiles(paths, BOARD)).toMatchObject({ holder: null, lockNote: null });
  });
});

async function loop(path: string): Promise<void> {
  await rm(path);
  await symlink(path, path);
}
