import { chmod, mkdir, symlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deviceNameFor, macSuffix, type NameOptions, type NamePlaces } from '../../src/device/deviceName.ts';
import { nameSourceOf } from '../../src/device/nameSettings.ts';
import { asOrdinaryUser, failureOf, put } from '../config/scratch.ts';
import { makeFolder } from '../support/deviceFolder.ts';
import { folderInRam } from '../support/folderInRam.ts';

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
    expect(await deviceNameFor(name, { places: { interfaces: folder } })).toBe('cam-0A1F3C');
    expect(await deviceNameFor(name, { places: { interfaces: folder } })).toBe('cam-0A1F3C');
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

/** A board with some of the files that hold its identity. */
async function board(files: {
  readonly tree?: string;
  readonly product?: string;
  readonly base?: string;
  readonly machine?: string;
}): Promise<Partial<NamePlaces>> {
  const folder = await makeFolder(onTestFinished);
  const at = (name: string): string => join(folder, name);
  for (const [name, text] of Object.entries(files)) await put(at(name), text);
  return { deviceTree: at('tree'), dmi: [at('product'), at('base')], machineId: at('machine') };
}

describe('a name from the serial number', () => {
  const serial = { source: 'serial', prefix: 'cam' } as const;
  const named = async (files: Parameters<typeof board>[0]) => deviceNameFor(serial, { places: await board(files) });

  it('prefers the device tree, without its final NUL', async () => {
    expect(await named({ tree: '100000001a2b3c4d\0', product: 'DMI-1\n' })).toBe('cam-100000001a2b3c4d');
  });

  it('takes that of the product or of the board where there is no device tree', async () => {
    expect(await named({ product: 'P-1\n', base: 'B-1\n' })).toBe('cam-P-1');
    expect(await named({ product: 'Default string\n', base: 'B-1\n' })).toBe('cam-B-1');
    expect(await named({ tree: '0000000000\0', base: 'B-1\n' })).toBe('cam-B-1');
  });

  it('has a hyphen for each run of characters that a name may not have', async () => {
    expect(await named({ product: '/ABC.12 34/ü7.\n' })).toBe('cam-ABC-12-34-7');
  });

  it.each([
    '',
    '\0',
    'To be filled by O.E.M.',
    'To Be Filled By OEM',
    'Not Specified',
    'System Serial Number',
    '0',
    '0000000000',
    '...',
    'N/A',
    'NA',
    'none',
    'Not Applicable',
    'Not Available',
    'Chassis Serial Number',
    'Base Board Serial Number',
    '0123456789',
    '123456789',
    'INVALID',
    'Unknown',
    'OEM',
    'Empty',
    '.-.',
  ])('does not take %j, which many boards have', async (text) => {
    const failure = await failureOf(() => named({ product: `${text}\n` }));
    expect([failure.code, failure.exitStatus]).toEqual(['PROVISION_JSON_INVALID', 65]);
    expect(failure.message).toContain('none of its own');
  });

  it.each(['NONE-7', '7-none', 'OEM12', 'not', '01234567890', 'Serial Number'])(
    'takes %j, which only resembles such a text',
    async (text) => {
      expect(await named({ product: `${text}\n` })).toBe(`cam-${text.replace(' ', '-')}`);
    },
  );

  it('says which file it may not read, the first of several', async () => {
    const places = await board({ product: 'P-1', base: 'B-1' });
    for (const path of places.dmi ?? []) await chmod(path, 0o000);
    const failure = await failureOf(() => asOrdinaryUser(() => deviceNameFor(serial, { places })));
    expect(failure.message).toContain(`may not read ${places.dmi?.[0]}`);
    expect(failure.cause).toMatchObject({ code: 'EACCES' });
  });
});

describe('a name from the machine-id', () => {
  const ID = '0123456789abcdef0123456789abcdef';
  const named = async (machine: string) =>
    deviceNameFor({ source: 'machine-id', prefix: 'cam' }, { places: await board({ machine }) });

  it('is always the same, another one for another machine, and does not show the machine-id', async () => {
    const name = await named(`${ID}\n`);
    expect(name).toMatch(/^cam-[0-9a-f]{12}$/);
    expect(await named(ID)).toBe(name);
    expect(await named(ID.replace('0', '1'))).not.toBe(name);
    expect(ID).not.toContain(name.slice(4));
  });

  it('stays the same in all versions, because the server knows the device by it', async () => {
    expect(await named(ID)).toBe('cam-e9674a63d4ef');
    expect(await named(ID.toUpperCase())).toBe('cam-e9674a63d4ef');
  });

  it.each(['', 'uninitialized\n', 'abc\n', `${ID}0`, `0${ID}`])('is refused for the machine-id %j', async (machine) => {
    expect((await failureOf(() => named(machine))).message).toContain('machine-id');
  });

  it('is refused where there is no machine-id', async () => {
    const places = await board({});
    const failure = await failureOf(() => deviceNameFor({ source: 'machine-id', prefix: 'cam' }, { places }));
    expect(failure.message).toContain(`${places.machineId} has none`);
  });

  it('is refused when a reboot loses the machine-id', async () => {
    const folder = await folderInRam(onTestFinished);
    const machineId = await put(join(folder, 'machine-id'), `${ID}\n`);
    const name = { source: 'machine-id', prefix: 'cam' } as const;
    const failure = await failureOf(() => deviceNameFor(name, { places: { machineId } }));
    expect(failure.message).toContain(`${machineId} is lost at a reboot: a tmpfs`);
  });
});

describe('a name from the host', () => {
  const named = (hostname: string) =>
    deviceNameFor({ source: 'hostname', prefix: 'cam' }, { places: { hostname: () => hostname } });

  it('is the name of the host, with hyphens for dots', async () => {
    expect(await named('hall7.example.com')).toBe('cam-hall7-example-com');
  });

  it.each(['localhost2', 'my-localhost', 'localhostess.example', 'x(none)', '(none)x'])(
    'is %j, which only resembles the name of every host',
    async (name) => {
      expect(await named(name)).toMatch(/^cam-[\w-]+$/);
    },
  );

  it.each(['', 'localhost', 'LOCALHOST', 'localhost.localdomain', '(none)', '...'])(
    'is refused for %j, which every host has',
    async (name) => {
      expect((await failureOf(() => named(name))).message).toContain('no name of its own');
    },
  );
});

describe('a name from this machine', () => {
  const places: NamePlaces = {
    deviceTree: '/sys/firmware/devicetree/base/serial-number',
    dmi: ['/sys/class/dmi/id/product_serial', '/sys/class/dmi/id/board_serial'],
    machineId: '/etc/machine-id',
    hostname,
  };

  it.each(['serial', 'machine-id', 'hostname'] as const)('is made from the documented places: %s', async (source) => {
    const named = (options: NameOptions): Promise<string> =>
      deviceNameFor({ source, prefix: 'cam' }, options).catch(String);
    expect(await named({})).toBe(await named({ places }));
  });
});

describe('a name that is only shown', () => {
  it('has the given text for its random part, and only for this', async () => {
    const options = { random: 'XXXXXX', places: { hostname: () => 'hall' } };
    expect(await deviceNameFor({ source: 'random', prefix: 'cam' }, options)).toBe('cam-XXXXXX');
    expect(await deviceNameFor({ source: 'template', template: '{hostname}-{random}' }, options)).toBe('hall-XXXXXX');
  });
});

describe('a name with parts in braces', () => {
  const template = (text: string) => ({ source: 'template', template: text }) as const;

  it('has each part in its place, as often as it occurs', async () => {
    const places = { ...(await board({ tree: 'S1' })), hostname: () => 'h', interfaces: await interfaces(ETH0) };
    expect(await deviceNameFor(template('{hostname}-{serial}_{mac}-{hostname}'), { places })).toBe('h-S1_0A1F3C-h');
    expect(await deviceNameFor(template('x{random}'), { places })).toMatch(/^x[A-Z0-9]{6}$/);
  });

  it('is refused when one of its parts can not be had', async () => {
    const places = { hostname: () => 'localhost' };
    expect((await failureOf(() => deviceNameFor(template('{random}-{hostname}'), { places }))).code).toBe(
      'PROVISION_JSON_INVALID',
    );
  });

  it('is refused when it becomes longer than 64 characters', async () => {
    const places = { hostname: () => 'h'.repeat(63) };
    expect(await deviceNameFor(template('{hostname}-'), { places })).toHaveLength(64);
    expect((await failureOf(() => deviceNameFor(template('{hostname}--'), { places }))).message).toContain('65');
  });

  it('can be replaced by another one exactly if it has a random part', () => {
    expect(nameSourceOf(template('a-{random}'))).toBe('random');
    expect(nameSourceOf(template('a-{mac}'))).toBe('template');
  });
});
