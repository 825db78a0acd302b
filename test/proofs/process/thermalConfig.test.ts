import { execFileSync } from 'node:child_process';
import { chmod, chown, lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DevicePaths } from '../../../src/device/paths.ts';
import type { FailureCode } from '../../../src/failures/catalogue.ts';
import { runAgentProcess } from '../../support/agentProcess.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { contentId, fileContentId } from '../../support/contentId.ts';
import { OLD_CONFIG } from '../../support/deviceFiles.ts';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import { configuredDevice } from '../../support/provisionedDevice.ts';
import { expectFailed, expectProvisioned } from '../../support/runChecks.ts';
import { startServer } from '../../support/server.ts';
import { giveToUnprivileged, isRoot, unprivileged } from '../../support/unprivileged.ts';

const runUnprivileged = (atEnd: AtEnd, paths: DevicePaths) =>
  runAgentProcess(atEnd, paths.deviceFolder, { user: unprivileged });

async function backupsIn({ deviceFolder }: DevicePaths): Promise<string[]> {
  const names = (await readdir(deviceFolder)).filter((name) => name.startsWith('thermal_config.json.backup.'));
  return Promise.all(names.sort().map((name) => fileContentId(join(deviceFolder, name))));
}

describe.concurrent('FR-007, FR-010: an unusable thermal_config.json is kept, and provisioning continues', () => {
  it.for([
    { name: 'empty', content: '' },
    { name: 'binary', content: Buffer.from([0, 1, 2, 0xff, 0xfe, 0]) },
    { name: 'null', content: 'null' },
    { name: 'nested too deeply', content: `${'['.repeat(100_000)}` },
    { name: 'truncated', content: OLD_CONFIG.slice(0, 80) },
    { name: 'with wrong types', content: '{"thingsboard": [], "telemetry": 7}' },
    { name: '10 MB that are not JSON', content: 'x'.repeat(10_000_000) },
    {
      name: 'more than a megabyte of valid JSON',
      content: OLD_CONFIG.replace('{', `{"filler": "${'x'.repeat(1024 * 1024)}",`),
    },
  ])('$name: one backup byte for byte, a warning, the defaults', async ({ content }, { onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, config: content });
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    await expectProvisioned(paths, end, server);
    expect(await backupsIn(paths)).toEqual([contentId(content)]);
    expect(end.log.find(({ event }) => event === 'config.base')?.message).toContain('the defaults');
    expect(JSON.parse(await readFile(paths.thermalConfig, 'utf8')).telemetry.interval_seconds).toBe(15);
  });

  it('the settings come from the newest usable backup', async ({ onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, config: '{"half' });
    await writeFile(`${paths.thermalConfig}.backup.20200101T000000.000Z`, OLD_CONFIG);
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    await expectProvisioned(paths, end, server);
    expect(end.log.find(({ event }) => event === 'config.base')?.message).toContain('20200101T000000.000Z');
    expect(await readFile(paths.thermalConfig, 'utf8')).toContain('"serial": 12345678901234567890123');
  });

  it('a megabyte of valid JSON changes only in its credentials', async ({ onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const filler = `"filler": "${'x'.repeat(1024 * 1024 - OLD_CONFIG.length - 15)}"`;
    const config = OLD_CONFIG.replace('{', `{${filler},`);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, config });
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
    expect((await readFile(paths.thermalConfig, 'utf8')).includes(filler)).toBe(true);
  });

  it('the last of duplicate keys, which the camera reads, gets the new value', async ({ onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const config = OLD_CONFIG.replace('"host"', '"access_token": "first", "host"');
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, config });
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
    expect(await readFile(paths.thermalConfig, 'utf8')).toContain('"access_token": "first"');
    expect((await configuredDevice(paths)).token).not.toBe('first');
  });

  it('absent, or a dangling link: a new file, readable only for its owner', async ({ onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, config: null });
    const elsewhere = join(await makeFolder(onTestFinished), 'camera.json');
    await symlink(elsewhere, paths.thermalConfig);
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
    expect((await lstat(paths.thermalConfig)).isSymbolicLink()).toBe(true);
    expect((await stat(elsewhere)).mode & 0o7777).toBe(0o600);
    expect(await backupsIn(paths)).toEqual([]);
  });

  it('an existing file keeps its mode', async ({ onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    await chmod(paths.thermalConfig, 0o640);
    await giveToUnprivileged(paths.deviceFolder);
    await expectProvisioned(paths, await runUnprivileged(onTestFinished, paths), server);
    expect((await stat(paths.thermalConfig)).mode & 0o7777).toBe(0o640);
  });
});

interface Obstacle {
  readonly name: string;
  readonly code: FailureCode;
  readonly hint?: RegExp;
  readonly put: (paths: DevicePaths) => unknown;
  readonly repair: (paths: DevicePaths) => unknown;
}

const replaceConfig = async ({ thermalConfig }: DevicePaths): Promise<void> => {
  await rm(thermalConfig, { recursive: true, force: true });
  await writeFile(thermalConfig, OLD_CONFIG);
};

const OBSTACLES: readonly Obstacle[] = [
  {
    name: 'a read-only file',
    code: 'CONFIG_READ_ONLY',
    put: ({ thermalConfig }) => chmod(thermalConfig, 0o444),
    repair: ({ thermalConfig }) => chmod(thermalConfig, 0o644),
  },
  {
    name: 'a file without read permission',
    code: 'CONFIG_UNREADABLE',
    put: ({ thermalConfig }) => chmod(thermalConfig, 0o200),
    repair: ({ thermalConfig }) => chmod(thermalConfig, 0o600),
  },
  {
    name: 'a folder with its name',
    code: 'CONFIG_UNREADABLE',
    put: async ({ thermalConfig }) => {
      await rm(thermalConfig);
      await mkdir(thermalConfig);
    },
    repair: replaceConfig,
  },
  {
    name: 'a pipe with its name',
    code: 'CONFIG_UNREADABLE',
    put: async ({ thermalConfig }) => {
      await rm(thermalConfig);
      execFileSync('mkfifo', [thermalConfig]);
    },
    repair: replaceConfig,
  },
  {
    name: 'a link into a folder that does not exist',
    code: 'CONFIG_UNREADABLE',
    put: async ({ thermalConfig }) => {
      await rm(thermalConfig);
      await symlink('/nowhere/at/all.json', thermalConfig);
    },
    repair: replaceConfig,
  },
  {
    name: 'a file of 17 MB',
    code: 'CONFIG_TOO_LARGE',
    put: ({ thermalConfig }) => writeFile(thermalConfig, OLD_CONFIG.replace('{', `{"filler":"${'x'.repeat(17e6)}",`)),
    repair: replaceConfig,
  },
  {
    name: 'a read-only folder',
    code: 'FOLDER_NOT_WRITABLE',
    put: async ({ deviceFolder, stateFolder }) => {
      await mkdir(stateFolder, { mode: 0o700 });
      await giveToUnprivileged(deviceFolder);
      await chmod(deviceFolder, 0o555);
    },
    repair: ({ deviceFolder }) => chmod(deviceFolder, 0o755),
  },
  {
    name: 'a read-only folder at the first run',
    code: 'FOLDER_NOT_WRITABLE',
    put: ({ deviceFolder }) => chmod(deviceFolder, 0o555),
    repair: ({ deviceFolder }) => chmod(deviceFolder, 0o755),
  },
];

describe.concurrent('FR-003, FR-010, SC-004: an obstacle to the write is found before the request', () => {
  it.for(OBSTACLES)('$name: $code; repaired, the next boot completes', async (obstacle, { onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    await giveToUnprivileged(paths.deviceFolder);
    await obstacle.put(paths);
    const config = await fileContentId(paths.thermalConfig);
    const end = await runUnprivileged(onTestFinished, paths);
    await expectFailed({ paths, config }, end, { ...obstacle, server });
    expect(server.registry.counts.connects).toBe(0);

    await obstacle.repair(paths);
    await giveToUnprivileged(paths.deviceFolder);
    await expectProvisioned(paths, await runUnprivileged(onTestFinished, paths), server);
  });

  it.skipIf(!isRoot).for([
    {
      // Only root can give files to another user.
      name: 'a file of another user',
      code: 'FILE_NOT_PERMITTED',
      hint: /chown/,
      put: ({ thermalConfig }: DevicePaths) => chown(thermalConfig, 1234, 1234),
    },
    {
      name: 'a link of another user',
      code: 'CONFIG_LINK_UNTRUSTED',
      hint: undefined,
      put: async ({ thermalConfig, deviceFolder }: DevicePaths) => {
        await rm(thermalConfig);
        await writeFile(join(deviceFolder, 'thermal_config.json.real'), OLD_CONFIG);
        execFileSync('ln', ['-s', 'thermal_config.json.real', thermalConfig]);
        execFileSync('chown', ['-h', '1234:1234', thermalConfig]);
      },
    },
  ] as const)('$name: $code; handed over, the next boot completes', async (obstacle, { onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    await giveToUnprivileged(paths.deviceFolder);
    await obstacle.put(paths);
    const config = await fileContentId(paths.thermalConfig);
    const { code, hint } = obstacle;
    const end = await runUnprivileged(onTestFinished, paths);
    await expectFailed({ paths, config }, end, { code, server, ...(hint === undefined ? {} : { hint }) });
    expect(server.registry.counts.connects).toBe(0);

    await giveToUnprivileged(paths.deviceFolder);
    await expectProvisioned(paths, await runUnprivileged(onTestFinished, paths), server);
  });
});
