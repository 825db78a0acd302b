import { execFile, spawnSync } from 'node:child_process';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import { runAgentProcess } from '../../support/agentProcess.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { boardSecret } from '../../support/boardSecret.ts';
import { contentId } from '../../support/contentId.ts';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import { folderInRam } from '../../support/folderInRam.ts';
import { startServer } from '../../support/server.ts';

/** Makes a mount namespace, which ordinary users may also do where the kernel permits it. */
const UNSHARE = ['unshare', '--user', '--map-root-user', '--mount'] as const;
const OVERLAY =
  'mount -t tmpfs none /mnt && mkdir /mnt/l /mnt/u /mnt/w /mnt/d && mount -t overlay o -o lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w /mnt/d';
const mayMount = spawnSync(UNSHARE[0], [...UNSHARE.slice(1), 'sh', '-c', OVERLAY]).status === 0;
if (!mayMount)
  console.warn('test/proofs/process/volatileStorage.test.ts: overlays are skipped: none can be mounted here');

/** Boots with an overlay in RAM over the device folder. Each boot finds the files as they were at first. */
const BOOT = `
  for boot in $6; do
    mount -t tmpfs none "$1" && mkdir "$1/up" "$1/work" "$1/root" || exit 1
    mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/up,workdir=$1/work" "$1/root" || exit 1
    "$3" "$4" run --dir "$1/root" >"$5/$boot.log" 2>&1; echo "$?" >>"$5/statuses"
    [ "$boot" = 1 ] && "$3" "$4" status --dir "$1/root" >"$5/status"
    umount "$1/root" "$1"
  done
`;

async function boot(atEnd: AtEnd, boots: string, provisioning: Readonly<Record<string, unknown>> = {}) {
  const server = await startServer(atEnd);
  const { paths, config } = await makeDeviceFolder(atEnd, { port: server.port, provisioning });
  const [mount, log] = [await makeFolder(atEnd), await makeFolder(atEnd)];
  const given = [mount, paths.deviceFolder, process.execPath, inject('bundle'), log, boots];
  await promisify(execFile)(UNSHARE[0], [...UNSHARE.slice(1), 'sh', '-c', BOOT, 'sh', ...given], {
    timeout: 30_000,
    env: { PATH: process.env.PATH },
  });
  const read = (name: string): Promise<string> => readFile(join(log, name), 'utf8');
  expect(contentId(await readFile(paths.thermalConfig))).toBe(config);
  return { server, read };
}

describe.skipIf(!mayMount).concurrent('a read-only root with an overlay in RAM, as raspi-config makes it', () => {
  it('makes no device in three boots, and says why', async ({ expect, onTestFinished }) => {
    const { server, read } = await boot(onTestFinished, '1 2 3');
    expect(await read('statuses')).toBe('78\n78\n78\n');
    expect(server.registry.counts.connects).toBe(0);
    expect(await read('3.log')).toMatch(/"code":"VOLATILE_STORAGE".*provisioning\.allow_volatile_storage/);
    expect(await read('status')).toMatch(/^status: error\n[\s\S]*VOLATILE_STORAGE: .*\n.*an overlay .* is on a tmpfs /);
  });

  it('makes one device in three boots with a board secret', async ({ expect, onTestFinished }) => {
    const board_secret_file = await boardSecret(onTestFinished);
    const { server, read } = await boot(onTestFinished, '1 2 3', { device_name: 'hall-7', board_secret_file });
    expect(await read('statuses')).toBe('0\n0\n0\n');
    expect(server.registry.counts.provisionRequests).toBe(1);
    expect(server.registry.size).toBe(1);
    expect(await read('3.log')).toContain('"event":"reconcile.recovered"');
    expect(await read('status')).toMatch(/^status: done\n/);
    expect(await read('status')).not.toContain('warning:');
  });

  it('provisions if the operator allows that, and status does not hide it', async ({ onTestFinished }) => {
    const { server, read } = await boot(onTestFinished, '1', { allow_volatile_storage: true });
    expect(await read('statuses')).toBe('0\n');
    expect(server.registry.devices()).toHaveLength(1);
    expect(await read('1.log')).toContain('"event":"storage.volatile"');
    expect(await read('status')).toMatch(/^status: done\n[\s\S]*\nwarning: +A reboot loses what provisioning writes/);
  });
});

it('normal operation does not ask where the files are', async ({ expect, onTestFinished }) => {
  const { paths } = await makeDeviceFolder(onTestFinished, { port: 9, config: '{}' });
  const ram = await folderInRam(onTestFinished);
  await chmod(ram, 0o755);
  const command = ['start', '--no-provision', '--state-dir', ram];
  const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { command });
  expect(end.output).toContain('CONFIG_INVALID');
  expect(end.output).not.toMatch(/VOLATILE|storage\./);
});
