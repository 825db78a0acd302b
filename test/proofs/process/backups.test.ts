import { chmod, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { z } from 'zod';
import { acquireLock } from '../../../src/device/lock.ts';
import { type AgentEnd, runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { OLD_CONFIG, OLD_DEVICE, OLD_TOKEN } from '../../support/deviceFiles.ts';
import { type DeviceFolder, makeDeviceFolder } from '../../support/deviceFolder.ts';
import { startServer } from '../../support/server.ts';
import { giveToUnprivileged, isRoot, unprivileged } from '../../support/unprivileged.ts';

const NEW_TOKEN = 'token-of-the-new-device';
const NEW_CONFIG = OLD_CONFIG.replace(OLD_TOKEN, NEW_TOKEN).replace(OLD_DEVICE, 'thermal-camera-NEW001');
const OLDER = 'thermal_config.json.backup.20260101T000000.000Z';
const DAMAGED = 'thermal_config.json.backup.20260202T000000.000Z';
const WHOLE_NUMBER = 2;

const listSchema = z.object({
  backups: z.array(
    z.object({
      bytes: z.int(),
      deviceId: z.string().nullable(),
      madeAt: z.string(),
      name: z.string(),
      number: z.int(),
      remark: z.string(),
      sameAsCurrent: z.boolean(),
      usable: z.boolean(),
    }),
  ),
  folder: z.string(),
});

/** A device with new credentials, a whole backup with the old ones, and a damaged newer one. */
async function makeDevice(atEnd: AtEnd): Promise<DeviceFolder> {
  const device = await makeDeviceFolder(atEnd, { port: 9, config: NEW_CONFIG, requested: false });
  const { deviceFolder, thermalConfig } = device.paths;
  await chmod(thermalConfig, 0o640);
  await writeFile(join(deviceFolder, OLDER), OLD_CONFIG, { mode: 0o600 });
  await writeFile(join(deviceFolder, DAMAGED), OLD_CONFIG.slice(0, -10), { mode: 0o600 });
  return device;
}

const backups = (atEnd: AtEnd, { paths }: DeviceFolder, ...more: readonly string[]): Promise<AgentEnd> =>
  runAgentProcess(atEnd, paths.deviceFolder, { command: ['backups', ...more] });

const namesIn = async ({ paths }: DeviceFolder): Promise<string[]> =>
  (await readdir(paths.deviceFolder)).filter((name) => name.startsWith('thermal_config.json')).sort();

describe.concurrent('backups list', () => {
  it('shows number, date, size, device and whether it is complete', async ({ expect, onTestFinished }) => {
    const device = await makeDevice(onTestFinished);
    const { status, output } = await backups(onTestFinished, device);
    expect(status).toBe(0);
    expect(output).toMatch(/^1 {2}2026-02-02T00:00:00Z {2}\S+ \w+ ago +\d+ B {2}– +damaged: it is not valid JSON/m);
    expect(output).toMatch(
      new RegExp(`^2 {2}2026-01-01T00:00:00Z {2}.* ago +${OLD_CONFIG.length} B {2}${OLD_DEVICE} +complete$`, 'm'),
    );
    expect(output).not.toContain(OLD_TOKEN);

    const json = await backups(onTestFinished, device, 'list', '--format', 'json');
    const { backups: listed } = listSchema.parse(JSON.parse(json.output));
    expect(listed.map(({ name, usable, deviceId }) => [name, usable, deviceId])).toEqual([
      [DAMAGED, false, null],
      [OLDER, true, OLD_DEVICE],
    ]);
  });

  it('reports that there are no backups or no folder', async ({ expect, onTestFinished }) => {
    const device = await makeDeviceFolder(onTestFinished, { port: 9 });
    expect((await backups(onTestFinished, device)).output).toMatch(/^No backups of thermal_config\.json in /);
    expect((await runAgentProcess(onTestFinished, '/nowhere', { command: ['backups'] })).status).toBe(66);
  });
});

describe.concurrent('backups diff', () => {
  it('shows the changes with masked tokens, and that the tokens differ', async ({ expect, onTestFinished }) => {
    const device = await makeDevice(onTestFinished);
    const { status, output } = await backups(onTestFinished, device, 'diff', String(WHOLE_NUMBER));
    expect(status).toBe(0);
    expect(output).toMatch(/^-.*"access_token": "\[masked 1\]"/m);
    expect(output).toMatch(/^\+.*"access_token": "\[masked 2\]"/m);
    expect(output).toContain('The access tokens differ');
    for (const token of [OLD_TOKEN, NEW_TOKEN]) expect(output).not.toContain(token);
  });

  it('shows equal tokens with equal masks, and reports equal files', async ({ expect, onTestFinished }) => {
    const device = await makeDevice(onTestFinished);
    await writeFile(device.paths.thermalConfig, OLD_CONFIG.replace('"port": 1883', '"port": 1884'));
    const { output } = await backups(onTestFinished, device, 'diff', String(WHOLE_NUMBER));
    expect(output).not.toContain('[masked 2]');
    expect(output).toContain('The access token is the same in both files.');

    await writeFile(device.paths.thermalConfig, OLD_CONFIG);
    expect((await backups(onTestFinished, device, 'diff', '2')).output).toMatch(/ are the same\.$/m);
    await rm(device.paths.thermalConfig);
    expect((await backups(onTestFinished, device, 'diff', '2')).output).toMatch(
      /^\+\+\+ "?\(no thermal_config\.json\)/m,
    );
  });

  it('shows no part of a file that could hold a token anywhere', async ({ expect, onTestFinished }) => {
    const device = await makeDevice(onTestFinished);
    const { status, output } = await backups(onTestFinished, device, 'diff', '1');
    expect(status).toBe(65);
    expect(output).toContain('so it is not shown');
    expect(output).not.toContain(OLD_TOKEN);
  });

  it.for([
    [['diff'], 'needs the number'],
    [['diff', '7'], 'There is no backup 7'],
    [['restore', '0', '--yes'], 'Expected the number'],
    [['list', '1'], 'takes no number'],
    [['prune'], 'Allowed choices are list, diff, restore'],
  ] as const)('ends with 64 for %j', async ([words, says], { expect, onTestFinished }) => {
    const device = await makeDevice(onTestFinished);
    const { status, output } = await backups(onTestFinished, device, ...words);
    expect({ status, said: output.includes(says) }).toEqual({ status: 64, said: true });
  });
});

describe.concurrent('backups restore', () => {
  it('restores a backup with mode and owner of the file, and backs up the current file', async (context) => {
    const { expect, onTestFinished } = context;
    const device = await makeDevice(onTestFinished);
    const { paths } = device;
    const before = await stat(paths.thermalConfig);
    const { status, output } = await backups(onTestFinished, device, 'restore', '2', '--yes');
    expect(status).toBe(0);
    expect(await readFile(paths.thermalConfig, 'utf8')).toBe(OLD_CONFIG);
    const after = await stat(paths.thermalConfig);
    expect([after.mode, after.uid, after.gid]).toEqual([before.mode, before.uid, before.gid]);
    const kept = (await namesIn(device)).filter((name) => ![OLDER, DAMAGED, 'thermal_config.json'].includes(name));
    expect(kept).toHaveLength(1);
    expect(await readFile(join(paths.deviceFolder, kept[0] ?? ''), 'utf8')).toBe(NEW_CONFIG);
    expect(output).toContain(OLD_DEVICE);
    expect(output).toContain(kept[0]);
    expect(output).toContain("restart the camera's client");
    expect(output).not.toContain(OLD_TOKEN);

    // Restore the new backup, which is number 1.
    await backups(onTestFinished, device, 'restore', '1', '--yes');
    expect(await readFile(paths.thermalConfig, 'utf8')).toBe(NEW_CONFIG);
  });

  it('asks for confirmation, and changes nothing without a terminal', async ({ expect, onTestFinished }) => {
    const device = await makeDevice(onTestFinished);
    const before = await namesIn(device);
    const { status, output } = await backups(onTestFinished, device, 'restore', '2');
    expect(status).toBe(64);
    expect(output).toContain('--yes');
    expect(await namesIn(device)).toEqual(before);
    expect(await readFile(device.paths.thermalConfig, 'utf8')).toBe(NEW_CONFIG);
  });

  it('refuses a damaged backup, and changes nothing', async ({ expect, onTestFinished }) => {
    const device = await makeDevice(onTestFinished);
    const { status, output } = await backups(onTestFinished, device, 'restore', '1', '--yes');
    expect(status).toBe(65);
    expect(output).toContain(`${DAMAGED} can't be used: it is not valid JSON`);
    expect(await readFile(device.paths.thermalConfig, 'utf8')).toBe(NEW_CONFIG);
  });

  it('refuses while an agent is running', async ({ expect, onTestFinished }) => {
    const device = await makeDevice(onTestFinished);
    // The first call creates the folder of the lock.
    await backups(onTestFinished, device, 'restore', '2', '--yes');
    await writeFile(device.paths.thermalConfig, NEW_CONFIG);
    const lock = await acquireLock(device.paths.stateFolder);
    onTestFinished(() => lock.release());
    const { status, output } = await backups(onTestFinished, device, 'restore', '3', '--yes');
    expect(status).toBe(75);
    expect(output).toContain(`process ${process.pid}`);
    expect(await readFile(device.paths.thermalConfig, 'utf8')).toBe(NEW_CONFIG);
  });

  it('refuses while an agent with another state folder is running', async ({ expect, onTestFinished }) => {
    const device = await makeDevice(onTestFinished);
    const lock = await acquireLock(device.paths.deviceFolder);
    onTestFinished(() => lock.release());
    const { status } = await backups(onTestFinished, device, 'restore', '2', '--yes');
    expect(status).toBe(75);
    expect(await readFile(device.paths.thermalConfig, 'utf8')).toBe(NEW_CONFIG);
  });

  it('refuses while only the end of a run is missing, because that would remove the last copy of the token', async (context) => {
    const { expect, onTestFinished } = context;
    const server = await startServer(onTestFinished);
    const device = await makeDeviceFolder(onTestFinished, { port: server.port });
    const { deviceFolder, thermalConfig } = device.paths;
    const cut = await runAgentProcess(onTestFinished, deviceFolder, {
      intrusions: [
        { call: 'rename', path: '/provision.txt.processed', after: true, act: { do: 'signal', signal: 'SIGKILL' } },
      ],
    });
    expect(cut.signal).toBe('SIGKILL');
    const written = await readFile(thermalConfig, 'utf8');
    const { status, output } = await backups(onTestFinished, device, 'restore', '1', '--yes');
    expect(status).toBe(75);
    expect(output).toContain(`Finish the run first: thermal-provision run --dir ${deviceFolder}`);
    expect(await readFile(thermalConfig, 'utf8')).toBe(written);
    expect((await runAgentProcess(onTestFinished, deviceFolder)).status).toBe(0);
    expect((await backups(onTestFinished, device, 'restore', '1', '--yes')).status).toBe(0);
    expect(await readFile(thermalConfig, 'utf8')).toBe(OLD_CONFIG);
  });

  it('follows a link, replaces its target, and keeps the backup in the device folder', async (context) => {
    const { expect, onTestFinished } = context;
    const device = await makeDevice(onTestFinished);
    const { paths } = device;
    const target = join(paths.deviceFolder, 'real.json');
    await rename(paths.thermalConfig, target);
    await symlink('real.json', paths.thermalConfig);
    expect((await backups(onTestFinished, device, 'restore', '2', '--yes')).status).toBe(0);
    expect(await readFile(target, 'utf8')).toBe(OLD_CONFIG);
    expect(await namesIn(device)).toHaveLength(4);
  });

  it('refuses a file without write permission, and a file of another user', async ({ expect, onTestFinished }) => {
    const device = await makeDevice(onTestFinished);
    await chmod(device.paths.thermalConfig, 0o444);
    expect((await backups(onTestFinished, device, 'restore', '2', '--yes')).output).toContain('no write bit');
    await chmod(device.paths.thermalConfig, 0o644);
    if (!isRoot) return;
    // The user owns the folder and the backups, root owns the file.
    await rm(device.paths.stateFolder, { recursive: true, force: true });
    await giveToUnprivileged(device.paths.deviceFolder);
    await rm(device.paths.thermalConfig);
    await writeFile(device.paths.thermalConfig, NEW_CONFIG);
    const end = await runAgentProcess(onTestFinished, device.paths.deviceFolder, {
      command: ['backups', 'restore', '2', '--yes'],
      user: unprivileged,
    });
    expect(end.status).toBe(77);
    expect(await readFile(device.paths.thermalConfig, 'utf8')).toBe(NEW_CONFIG);
  });

  it('leaves the complete old or new file when it is killed', async ({ expect, onTestFinished }) => {
    for (const [call, path] of [
      ['open', 'Z.tmp'],
      ['rename', '/thermal_config.json'],
    ] as const) {
      const device = await makeDevice(onTestFinished);
      const end = await startAgent(onTestFinished, device.paths.deviceFolder, {
        command: ['backups', 'restore', '2', '--yes'],
        intrusions: [{ call, path, act: { do: 'signal', signal: 'SIGKILL' } }],
      }).ended;
      expect(end.signal).toBe('SIGKILL');
      expect(await readFile(device.paths.thermalConfig, 'utf8')).toBe(NEW_CONFIG);
    }
  });

  it('restores nothing when another program changes the file at the same time', async ({ expect, onTestFinished }) => {
    const device = await makeDevice(onTestFinished);
    const { thermalConfig, deviceFolder } = device.paths;
    const changed = `${NEW_CONFIG} `;
    const end = await runAgentProcess(onTestFinished, deviceFolder, {
      command: ['backups', 'restore', '2', '--yes'],
      intrusions: [
        { call: 'rename', path: 'Z', after: true, act: { do: 'write', path: thermalConfig, text: changed } },
      ],
    });
    expect(end.status).toBe(75);
    expect(await readFile(thermalConfig, 'utf8')).toBe(changed);
  });
});
