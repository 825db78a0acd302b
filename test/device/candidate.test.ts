import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deviceNameFor, generateRunId, generateToken, macSuffix } from '../../src/device/candidate.ts';
import { failureOf, put } from '../config/scratch.ts';
import { makeFolder } from '../support/deviceFolder.ts';

interface Interface {
  readonly name: string;
  /** Whether it has a link to its device, as hardware has. */
  readonly physical: boolean;
  /** undefined: the file is missing. */
  readonly address: string | undefined;
}

/** A simulated /sys/class/net. */
async function interfaces(...list: readonly Interface[]): Promise<string> {
  const sys = await makeFolder(onTestFinished);
  const folder = join(sys, 'class', 'net');
  await mkdir(folder, { recursive: true });
  await mkdir(join(sys, 'devices'));
  for (const { name, physical, address } of list) {
    await mkdir(join(folder, name));
    if (physical) await symlink(join(sys, 'devices'), join(folder, name, 'device'));
    if (address !== undefined) await put(join(folder, name, 'address'), `${address}\n`);
  }
  return folder;
}

const ETH0 = { name: 'eth0', physical: true, address: 'b8:27:eb:0a:1f:3c' };
const WLAN0 = { name: 'wlan0', physical: true, address: 'b8:27:eb:ff:ff:ff' };

describe('a generated token', () => {
  it("has 20 letters and digits, like ThingsBoard's own, and is never the same", () => {
    const tokens = Array.from({ length: 200 }, () => generateToken().reveal());
    for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9]{20}$/);
    expect(new Set(tokens).size).toBe(200);
  });

  it('uses every letter and digit', () => {
    const used = new Set(Array.from({ length: 200 }, () => generateToken().reveal()).join(''));
    expect(used.size).toBe(62);
  });
});

describe('the identifier of a run', () => {
  it('has 16 hexadecimal digits, and is never the same', () => {
    const ids = Array.from({ length: 100 }, generateRunId);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(new Set(ids).size).toBe(100);
  });
});

describe('a device name', () => {
  it('is the name in the settings', async () => {
    expect(await deviceNameFor({ source: 'fixed', name: 'Camera_7' })).toBe('Camera_7');
  });

  it('FR-005: is prefix-XXXXXX of A-Z and 0-9, generated at random', async () => {
    const generate = () => deviceNameFor({ source: 'random', prefix: 'thermal-camera' });
    const names = await Promise.all(Array.from({ length: 100 }, generate));
    for (const name of names) expect(name).toMatch(/^thermal-camera-[A-Z0-9]{6}$/);
    expect(new Set(names).size).toBeGreaterThan(95);
  });

  it('is derived from the hardware if the settings say so, always the same', async () => {
    const folder = await interfaces(ETH0);
    const name = { source: 'mac', prefix: 'cam' } as const;
    expect(await deviceNameFor(name, folder)).toBe('cam-0A1F3C');
    expect(await deviceNameFor(name, folder)).toBe('cam-0A1F3C');
  });
});

describe('the suffix from the network address', () => {
  it('is that of the first physical interface by name', async () => {
    expect(await macSuffix(await interfaces(WLAN0, ETH0))).toBe('0A1F3C');
  });

  it.each([
    ['no hardware', { name: 'br0', physical: false, address: '02:42:ac:11:00:02' }],
    ['no address', { name: 'can0', physical: true, address: undefined }],
    ['an empty address', { name: 'can0', physical: true, address: '' }],
    ['an address of zeros', { name: 'dummy0', physical: true, address: '00:00:00:00:00:00' }],
    [
      'an address of another kind',
      { name: 'can0', physical: true, address: '80:00:02:08:fe:80:00:00:00:00:00:00:00:02' },
    ],
    ['an invalid address', { name: 'can0', physical: true, address: 'zz:27:eb:0a:1f:3c' }],
  ])('passes over an interface with %s', async (_what, other) => {
    expect(await macSuffix(await interfaces(other, ETH0))).toBe('0A1F3C');
  });

  it.each([
    ['no interface', interfaces],
    ['no physical one', () => interfaces({ name: 'lo', physical: false, address: '00:00:00:00:00:00' })],
    ['no /sys', async () => join(await makeFolder(onTestFinished), 'missing')],
  ])('is refused, with what to do, on a board with %s', async (_what, make) => {
    const folder = await make();
    const failure = await failureOf(() => macSuffix(folder));
    expect([failure.code, failure.exitStatus]).toEqual(['PROVISION_JSON_INVALID', 65]);
    expect(failure.hint).toContain('device.name');
  });
});
