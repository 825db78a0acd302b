import { chmod, chown, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeBackup } from '../../src/config/thermal/backups.ts';
import { type DevicePaths, devicePaths } from '../../src/device/paths.ts';
import { isRenamedTrigger, isStillTrigger } from '../../src/device/trigger.ts';
import { examine } from '../../src/doctor/examine.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { asOrdinaryUser, put, scratchFolder } from '../config/scratch.ts';
import { cutIn, runDevice, scene } from '../support/agentRun.ts';
import { OLD_CONFIG } from '../support/deviceFiles.ts';
import { MOUNT_REFUSED, mountedFolder } from '../support/mountedFolder.ts';
import { bindfsOver, mountOver, NO_BINDFS, setFlag } from '../support/strangeMounts.ts';

const NO_CHATTR = 'only root with chattr, on a file system with these flags, can do this';
const isRoot = process.geteuid?.() === 0;

/** The failures that doctor foretells about files. */
async function foretold(paths: DevicePaths): Promise<string[]> {
  const reports = await Promise.all(examine({ paths, now: Date.now(), boardId: 'board-1' }).reports);
  return reports.flatMap(({ findings }) =>
    findings.flatMap(({ verdict, code }) => (verdict === 'failed' ? [`${code}`] : [])),
  );
}

/**
 * The failure of a run that has sent no request.
 * @param doctorSees whether doctor foretells the code
 */
async function refusal({ simulator, paths }: { simulator: Simulator; paths: DevicePaths }, doctorSees = true) {
  const codes = doctorSees ? await foretold(paths) : [];
  const before = simulator.registry.counts.provisionRequests;
  const run = await runDevice(paths);
  expect(run.outcome).toBe('failed');
  expect(simulator.registry.counts.provisionRequests).toBe(before);
  expect(simulator.registry.devices()).toEqual([]);
  if (doctorSees) expect(codes[0]).toBe(run.failure?.code);
  return { ...run.failure, exitStatus: run.exitStatus };
}

const SCRUB = { provisioning: { scrub: true } };

describe('a file that is a mount of its own', () => {
  it.for([
    ['thermal_config.json', 'replaced', {}],
    ['provision.txt', 'renamed to provision.txt.processed', {}],
    ['provision.txt.processed', 'replaced by provision.txt', {}],
    ['provision.json', 'without the device secret', SCRUB],
  ] as const)('%s: refused before the request, by doctor too', async ([name, done, files], context) => {
    const device = await scene({}, files);
    const path = join(device.paths.deviceFolder, name);
    if (name === 'provision.txt.processed') await writeFile(path, '');
    const source = await put(join(await scratchFolder(), 'source'), '');
    if (!mountOver(name === 'thermal_config.json' || name === 'provision.json' ? path : source, path)) {
      return context.skip(MOUNT_REFUSED);
    }
    const failure = await refusal(device);
    expect(failure).toMatchObject({ code: 'FILE_NOT_PERMITTED', exitStatus: 77 });
    expect(failure.message).toContain(`${path} is a mount of its own`);
    expect(failure.message).toContain(done);
    expect(failure.hint).toContain('Mount the folder instead');
  });

  it("is not in the way if it is provision.json without scrub, or the target's folder", async (context) => {
    const { paths, simulator } = await scene();
    if (!mountOver(paths.provisionJson, paths.provisionJson)) return context.skip(MOUNT_REFUSED);
    expect(await runDevice(paths)).toMatchObject({ outcome: 'provisioned' });
    expect(simulator.registry.devices()).toHaveLength(1);
  });
});

describe('an immutable or append-only file', () => {
  it.for([
    ['i', 'thermal_config.json', {}],
    ['a', 'thermal_config.json', {}],
    ['i', 'provision.txt', {}],
    ['a', 'provision.txt.processed', {}],
    ['i', 'thermal_config.json.tmp', {}],
    ['i', 'provision.json', SCRUB],
  ] as const)('chattr +%s %s: refused before the request', async ([flag, name, files], context) => {
    const device = await scene({}, files);
    const path = join(device.paths.deviceFolder, name);
    if (name === 'provision.txt.processed' || name.endsWith('.tmp')) await writeFile(path, '');
    if (!setFlag(flag, path)) return context.skip(NO_CHATTR);
    const failure = await refusal(device);
    expect(failure).toMatchObject({ code: 'FILE_NOT_PERMITTED', exitStatus: 77 });
    expect(failure.hint).toBe(`Run: chattr -i -a ${device.paths.deviceFolder} ${path}`);
  });

  it.for(['i', 'a'] as const)(
    'chattr +%s of the device folder: refused, and nothing is left in it',
    async (flag, context) => {
      const device = await scene();
      await mkdir(device.paths.stateFolder, { mode: 0o700 });
      const before = await readdir(device.paths.deviceFolder);
      if (!setFlag(flag, device.paths.deviceFolder)) return context.skip(NO_CHATTR);
      expect(await refusal(device)).toMatchObject({ exitStatus: 77, hint: expect.stringContaining('chattr -i -a') });
      expect(await readdir(device.paths.deviceFolder)).toEqual(before);
    },
  );
});

describe('a file that only the kernel knows to be held', () => {
  it("another user's provision.txt in a folder with the sticky bit", async (context) => {
    if (!isRoot) context.skip('only root can give files away');
    const device = await scene();
    const { paths } = device;
    for (const path of [paths.provisionJson, paths.thermalConfig]) await chown(path, 65_534, 0);
    await chmod(paths.deviceFolder, 0o1777);
    const failure = await asOrdinaryUser(() => refusal(device));
    expect(failure).toMatchObject({ code: 'FILE_NOT_PERMITTED', exitStatus: 77 });
    expect(failure.message).toMatch(/provision\.txt is owned by user 0 in a folder with the sticky bit/);
  });

  it('a folder in the place of the temporary file', async () => {
    const device = await scene();
    await mkdir(`${device.paths.thermalConfig}.tmp`);
    expect(await refusal(device)).toMatchObject({
      code: 'DISK_ERROR',
      hint: `Move the folder ${device.paths.thermalConfig}.tmp away, then start again.`,
    });
  });

  it("a link's target whose name has no room for the temporary file", async () => {
    const device = await scene({}, { config: null });
    const target = await put(join(await scratchFolder(), 'x'.repeat(253)), OLD_CONFIG);
    await symlink(target, device.paths.thermalConfig);
    expect(await refusal(device)).toMatchObject({ code: 'DISK_ERROR', hint: expect.stringContaining('shorter name') });
  });
});

describe('a file system with modes of its own', () => {
  const DENY = ['--chmod-deny', '--chown-deny', '--chgrp-deny'];
  const IGNORE = ['--chmod-ignore', '--chown-ignore', '--chgrp-ignore'];

  async function onBindfs(options: readonly string[], config: { mode?: number; uid?: number } = {}) {
    const device = await scene();
    const { mode = 0o600, uid = 0 } = config;
    await chmod(device.paths.provisionJson, 0o600);
    await chmod(device.paths.thermalConfig, mode);
    if (isRoot) await chown(device.paths.thermalConfig, uid, uid);
    return (await bindfsOver(device.paths.deviceFolder, options)) ? device : undefined;
  }

  it.for([
    ['refuses chmod, and every file can be read by others', [...DENY, '-p', '0755'], {}, true],
    ["refuses chmod, which the configuration's mode needs", DENY, { mode: 0o644 }, true],
    ["refuses chown, which the configuration's owner needs", DENY, { uid: 1000 }, true],
    ["ignores chmod, which the configuration's mode needs", IGNORE, { mode: 0o644 }, false],
    ["ignores chown, which the configuration's owner needs", IGNORE, { uid: 1000 }, false],
  ] as const)('%s: refused before the request', async ([, options, config, doctorSees], context) => {
    const device = await onBindfs(options, config);
    if (device === undefined) return context.skip(NO_BINDFS);
    // Elsewhere, because the agent would already refuse a state folder that it can't make private.
    const stateFolder = await scratchFolder();
    await chmod(stateFolder, 0o700);
    const paths = devicePaths(device.paths.deviceFolder, stateFolder);
    const failure = await refusal({ ...device, paths }, doctorSees);
    expect(failure).toMatchObject({ code: 'FILE_NOT_PERMITTED', exitStatus: 77 });
    expect(failure.hint).toContain('file system that keeps modes and owners');
  });

  it('refuses chmod, and no file can be read by others: the run succeeds without a warning', async (context) => {
    const device = await onBindfs([...DENY, '-p', '0700']);
    if (device === undefined) return context.skip(NO_BINDFS);
    const run = await runDevice(device.paths);
    expect(run).toMatchObject({ outcome: 'provisioned' });
    expect(run.of('validate.warning')).toEqual([]);
  });

  it('ignores chmod, and every file can be read by others: a warning says so once, also after a kill', async (context) => {
    const device = await onBindfs([...IGNORE, '-p', '0755']);
    if (device === undefined) return context.skip(NO_BINDFS);
    const { warnings } = await cutIn(device.paths, 'write');
    expect(warnings).toEqual([
      expect.stringMatching(
        /\(fuse\S*\) gives every file the mode 755: other users of this device can read the credentials/,
      ),
    ]);
    const run = await runDevice(device.paths);
    expect(run).toMatchObject({ outcome: 'provisioned' });
    expect(run.of('credentials.tightened')).toEqual([]);
    expect(run.of('state.tightened')).toEqual([]);
    expect(device.simulator.registry.devices()).toHaveLength(1);
  });

  it('ignores chmod: a resumed run finds its own backup again', async (context) => {
    const folder = await scratchFolder();
    if (!(await bindfsOver(folder, [...IGNORE, '-p', '0755']))) return context.skip(NO_BINDFS);
    const [name, bytes] = ['thermal_config.json.backup.20261123T101530.123Z', Buffer.from('{}')];
    expect(await makeBackup(folder, name, bytes)).toEqual({ name, made: true });
    expect(await makeBackup(folder, name, bytes)).toEqual({ name, made: false });
  });

  it('may give a file another inode number: the trigger is still the same one', async (context) => {
    const folder = await scratchFolder();
    const path = join(folder, 'provision.txt');
    const before = { inode: '1', mtimeNs: '5' };
    const elsewhere = { inode: '2', mtimeNs: '5' };
    const touched = { inode: '1', mtimeNs: '6' };
    const another = { inode: '2', mtimeNs: '6' };
    const same = async () => ({
      still: await Promise.all([elsewhere, touched, another].map((found) => isStillTrigger(path, found, before))),
      renamed: await Promise.all([elsewhere, touched, another].map((found) => isRenamedTrigger(path, found, before))),
    });
    expect(await same()).toEqual({ still: [false, false, false], renamed: [false, false, false] });
    if (!(await bindfsOver(folder, []))) return context.skip(NO_BINDFS);
    expect(await same()).toEqual({ still: [true, false, false], renamed: [true, true, false] });
  });
});

describe('the new thermal_config.json', () => {
  it('keeps its group in a folder whose group new files get', async (context) => {
    if (!isRoot) context.skip('only root can give files away');
    const { paths } = await scene();
    await chown(paths.deviceFolder, 0, 1000);
    await chmod(paths.deviceFolder, 0o2775);
    await runDevice(paths);
    expect((await stat(paths.thermalConfig)).gid).toBe(0);
  });

  it('needs inodes, which are counted before the request', async (context) => {
    const { simulator, paths } = await scene();
    const folder = await mountedFolder('nr_inodes=6');
    if (folder === undefined) return context.skip(MOUNT_REFUSED);
    const failure = await refusal({ simulator, paths: devicePaths(paths.deviceFolder, folder) }, false);
    expect(failure).toMatchObject({ code: 'DISK_FULL', exitStatus: 74, hint: expect.stringContaining('df -i') });
  });
});
