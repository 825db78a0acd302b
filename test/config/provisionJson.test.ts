import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseProvisionJson, readProvisionJson, settingsDigest } from '../../src/config/provisionJson.ts';
import { asOrdinaryUser, everyWordOf, failureOf, makeFifo, put, scratchFolder } from './scratch.ts';

const KEY = 'kkKKkkKKkkKKkkKKkkK1';
const SECRET = 'ssSSssSSssSSssSSssS2';
const HOST = 'eu.thingsboard.cloud';
const required = { device_key: KEY, device_secret: SECRET, host: HOST };

const bytesOf = (content: unknown) => Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
const parse = (content: unknown) => parseProvisionJson(bytesOf(content));
const withProvisioning = (more: object) => ({ provisioning: { ...required, ...more } });
const withDevice = (device: unknown) => ({ provisioning: required, device });
const plain = (content: unknown) => {
  const { settings } = parse(content);
  return { ...settings, deviceKey: settings.deviceKey.reveal(), deviceSecret: settings.deviceSecret.reveal() };
};
const problemsOf = async (content: unknown) => (await failureOf(() => parse(content))).message.split('\n').slice(1);

describe('the forms of provision.json', () => {
  it('reads the nested form', () => {
    expect(
      plain({
        provisioning: {
          device_key: KEY,
          device_secret: SECRET,
          host: HOST,
          port: 8884,
          use_ssl: true,
          ca_file: 'ca.pem',
          timeout_seconds: 31,
          max_retries: 4,
        },
        device: { type: 'thermal-camera', profile: 'thermal_sensor_profile', name: 'thermal-camera-00A1F3' },
      }),
    ).toEqual({
      deviceKey: KEY,
      deviceSecret: SECRET,
      host: HOST,
      port: 8884,
      useSsl: true,
      caFile: 'ca.pem',
      timeoutSeconds: 31,
      maxRetries: 4,
      name: { source: 'fixed', name: 'thermal-camera-00A1F3' },
      deviceType: 'thermal-camera',
      deviceProfile: 'thermal_sensor_profile',
    });
  });

  const sevenSettings = {
    deviceKey: KEY,
    deviceSecret: SECRET,
    host: HOST,
    port: 1884,
    useSsl: true,
    caFile: undefined,
    timeoutSeconds: 12,
    maxRetries: 3,
    name: { source: 'random', prefix: 'cam' },
  };

  it('reads the flat form', () => {
    const flat = {
      server_url: HOST,
      server_port: 1884,
      provision_device_key: KEY,
      provision_device_secret: SECRET,
      device_name_prefix: 'cam',
      timeout_seconds: 12,
      use_ssl: true,
    };
    expect(plain(flat)).toEqual(sevenSettings);
    expect(parse(flat).warnings).toEqual([]);
  });

  it('reads the camel-case aliases inside provisioning', () => {
    const aliases = {
      provisioning: {
        serverUrl: HOST,
        serverPort: 1884,
        provisionDeviceKey: KEY,
        provisionDeviceSecret: SECRET,
        deviceNamePrefix: 'cam',
        timeoutSeconds: 12,
        useSsl: true,
      },
    };
    expect(plain(aliases)).toEqual(sevenSettings);
    expect(parse(aliases).warnings).toEqual([]);
  });

  it('reads forms that are mixed, and equal values in two spellings', () => {
    const mixed = {
      server_url: HOST,
      provisioning: { ...required, serverUrl: HOST, serverPort: 1884, use_ssl: true },
      use_ssl: true,
      timeout_seconds: 12,
      device: { device_name_prefix: 'cam' },
    };
    expect(plain(mixed)).toEqual(sevenSettings);
  });

  it('fills in the defaults', () => {
    expect(plain(withProvisioning({}))).toEqual({
      deviceKey: KEY,
      deviceSecret: SECRET,
      host: HOST,
      port: 1883,
      useSsl: false,
      caFile: undefined,
      timeoutSeconds: 30,
      maxRetries: 3,
      name: { source: 'random', prefix: 'thermal-camera' },
    });
  });

  it.each([
    [{ port: 8883 }, { port: 8883, useSsl: true }],
    [{ port: 8884 }, { port: 8884, useSsl: false }],
    [{ use_ssl: true }, { port: 8883, useSsl: true }],
    [{ use_ssl: false }, { port: 1883, useSsl: false }],
    [
      { port: 8883, use_ssl: false },
      { port: 8883, useSsl: false },
    ],
    [
      { port: 1883, use_ssl: true },
      { port: 1883, useSsl: true },
    ],
  ])('lets port and use_ssl decide each other: %j', (given, server) => {
    expect(parse(withProvisioning(given)).settings).toMatchObject(server);
  });

  it.each([
    [{ name_source: 'mac' }, { source: 'mac', prefix: 'thermal-camera' }],
    [
      { name_source: 'random', device_name_prefix: 'x' },
      { source: 'random', prefix: 'x' },
    ],
    [{ name: 'A_b-9' }, { source: 'fixed', name: 'A_b-9' }],
  ])('names the device as %j asks', (device, name) => {
    expect(parse(withDevice(device)).settings.name).toEqual(name);
  });

  it('accepts a byte-order mark and white space around', () => {
    expect(parse(`\uFEFF\n ${JSON.stringify(withProvisioning({}))} \r\n\t\n`).settings.host).toBe(HOST);
  });

  it('accepts access_token as credentials', () => {
    expect(parse(withDevice({ credentials: 'access_token' })).warnings).toEqual([]);
  });
});

describe('the limits of each setting', () => {
  const at = (path: string, value: unknown) => {
    const [section, key] = path.split('.');
    const content =
      section === 'device' ? withDevice({ [String(key)]: value }) : withProvisioning({ [String(key)]: value });
    return content;
  };
  const long = (length: number, letter = 'a') => letter.repeat(length);

  it.each([
    ['provisioning.device_key', 'k', long(256)],
    ['provisioning.device_secret', 's', long(256)],
    ['provisioning.port', 1, 65535],
    ['provisioning.timeout_seconds', 1, 300],
    ['provisioning.timeout_seconds', 1.5, 299.5],
    ['provisioning.max_retries', 0, 10],
    ['provisioning.ca_file', 'c', '/etc/ssl/certs/ca.pem'],
    ['provisioning.device_name_prefix', 'a', `a${long(56, '-')}`],
    ['device.name', 'a', long(64)],
    ['device.type', '', 'thermal camera'],
    ['device.profile', '', 'thermal camera'],
    ['provisioning.host', 'localhost', '192.168.1.9'],
    ['provisioning.host', '::1', 'fe80::1%eth0'],
    ['provisioning.host', `${long(63)}.example`, 'tb_core.local.'],
    ['provisioning.host', 'xn--bcher-kva.example', '2001:db8::7'],
  ])('accepts %s at %j and %j', (path, low, high) => {
    expect(parse(at(path, low)).settings).toBeDefined();
    expect(parse(at(path, high)).settings).toBeDefined();
  });

  const text = (length: number) => `a text of ${length} characters`;
  it.each<[string, unknown, string]>([
    ['provisioning.device_key', '', 'an empty text'],
    ['provisioning.device_key', long(257), text(257)],
    ['provisioning.device_key', 12, 'a number'],
    ['provisioning.device_key', true, 'a boolean'],
    ['provisioning.device_secret', null, 'null'],
    ['provisioning.device_secret', ['x'], 'a list'],
    ['provisioning.device_secret', {}, 'an object'],
    ['provisioning.device_secret', long(257), text(257)],
    ['provisioning.host', '', 'an empty text'],
    ['provisioning.host', 'mqtt://tb.example', 'a URL with a scheme'],
    ['provisioning.host', 'mqtts://tb.example:8883', 'a URL with a scheme'],
    ['provisioning.host', 'tb.example:1883', 'a host with a port'],
    ['provisioning.host', 'tb.example:', 'a host with a port'],
    ['provisioning.host', 'tb.example/mqtt', 'a host with a path'],
    ['provisioning.host', '[::1]', 'an address in brackets'],
    ['provisioning.host', '[::1]:1883', 'an address in brackets'],
    ['provisioning.host', ' tb.example', 'a text with white space'],
    ['provisioning.host', 'tb..example', text(11)],
    ['provisioning.host', '-tb.example', text(11)],
    ['provisioning.host', 'bücher.example', text(14)],
    ['provisioning.host', '192.168.1.300', text(13)],
    ['provisioning.host', '.', text(1)],
    ['provisioning.host', `${long(64)}.example`, text(72)],
    ['provisioning.host', Array.from({ length: 64 }, () => 'abc').join('.'), text(255)],
    ['provisioning.host', 5, '5'],
    ['provisioning.port', 0, '0'],
    ['provisioning.port', 65536, '65536'],
    ['provisioning.port', 1883.5, '1883.5'],
    ['provisioning.port', '1883', text(4)],
    ['provisioning.port', 12345678, 'a number'],
    ['provisioning.port', null, 'null'],
    ['provisioning.use_ssl', 'true', text(4)],
    ['provisioning.use_ssl', 1, '1'],
    ['provisioning.ca_file', '', 'an empty text'],
    ['provisioning.ca_file', 'a\0b', text(3)],
    ['provisioning.ca_file', long(1025), text(1025)],
    ['provisioning.timeout_seconds', 0.5, '0.5'],
    ['provisioning.timeout_seconds', 301, '301'],
    ['provisioning.max_retries', -1, '-1'],
    ['provisioning.max_retries', 11, '11'],
    ['provisioning.max_retries', 2.5, '2.5'],
    ['provisioning.max_retries', false, 'false'],
    ['provisioning.device_name_prefix', 'Cam', text(3)],
    ['provisioning.device_name_prefix', '9cam', text(4)],
    ['provisioning.device_name_prefix', `a${long(57, '-')}`, text(58)],
    ['device.name', '', 'an empty text'],
    ['device.name', long(65), text(65)],
    ['device.name', 'cam 1', text(5)],
    ['device.name', 'cam\n', text(4)],
    ['device.name_source', 'serial', text(6)],
    ['device.type', 7, '7'],
    ['device.profile', null, 'null'],
    ['device.type', long(257), text(257)],
    ['device.credentials', 'mqtt_basic', 'mqtt_basic, which is not supported yet'],
    ['device.credentials', 'X509_CERTIFICATE', 'x509_certificate, which is not supported yet'],
    ['device.credentials', 'password', text(8)],
  ])('refuses %s %j', async (path, value, found) => {
    const problems = await problemsOf(at(path, value));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`- ${path}: found ${found}, expected `);
  });

  it.each([
    'provisioning.device_key',
    'provisioning.provisionDeviceKey',
    'provision_device_key',
    'provisioning.device_secret',
    'provisioning.provisionDeviceSecret',
    'provision_device_secret',
    'provisioning.host',
    'provisioning.serverUrl',
    'server_url',
    'provisioning.port',
    'provisioning.serverPort',
    'server_port',
    'provisioning.use_ssl',
    'provisioning.useSsl',
    'use_ssl',
    'provisioning.timeout_seconds',
    'provisioning.timeoutSeconds',
    'timeout_seconds',
    'provisioning.device_name_prefix',
    'provisioning.deviceNamePrefix',
    'device_name_prefix',
    'device.device_name_prefix',
  ])('names a wrong type in the spelling that the file uses: %s', async (path) => {
    const [section, key] = path.split('.');
    const base = { provisioning: required };
    const content =
      key === undefined
        ? { ...base, [String(section)]: [] }
        : section === 'device'
          ? withDevice({ [key]: [] })
          : withProvisioning({ [key]: [] });
    expect(await problemsOf(content)).toEqual([expect.stringContaining(`- ${path}: found a list, expected `)]);
  });
});

describe('problems', () => {
  it('lists every problem at once', async () => {
    const failure = await failureOf(() =>
      parse({ provisioning: { device_key: '', port: '1883', use_ssl: 'no' }, device: { name: '?' } }),
    );
    expect(failure.code).toBe('PROVISION_JSON_INVALID');
    expect(failure.message.split('\n')).toEqual([
      'provision.json has 6 problems:',
      '- provisioning.device_key: found an empty text, expected a text of 1 to 256 characters',
      '- provisioning.device_secret: found nothing, expected a text of 1 to 256 characters',
      expect.stringMatching(/^- provisioning\.host: found nothing, expected a host name/),
      '- provisioning.port: found a text of 4 characters, expected an integer from 1 to 65535, without quotes',
      '- provisioning.use_ssl: found a text of 2 characters, expected true or false, without quotes',
      '- device.name: found a text of 1 characters, expected 1 to 64 characters of A-Z, a-z, 0-9, _ and -',
    ]);
  });

  it('says “1 problem” of one', async () => {
    expect((await failureOf(() => parse(withProvisioning({ port: 0 })))).message).toMatch(
      /^provision\.json has 1 problem:/,
    );
  });

  it('names what a flat file lacks in the flat form', async () => {
    expect(await problemsOf({ server_port: 1883 })).toEqual([
      expect.stringContaining('- provision_device_key: found nothing'),
      expect.stringContaining('- provision_device_secret: found nothing'),
      expect.stringContaining('- server_url: found nothing'),
    ]);
  });

  it('names what an empty object lacks in the nested form', async () => {
    expect((await problemsOf({}))[0]).toContain('- provisioning.device_key: found nothing');
  });

  it('notes an unknown key beside a missing one', async () => {
    const problems = await problemsOf({ provisioning: { device_key: KEY, device_secret: SECRET, hots: HOST } });
    expect(problems.at(-1)).toBe('- note: unknown key provisioning.hots (the nearest known key is provisioning.host)');
  });

  it.each([
    ['provisioning', { provisioning: 7 }, 'a number'],
    ['provisioning', { provisioning: null }, 'null'],
    ['device', withDevice([]), 'a list'],
    ['device', withDevice('x'), 'a text'],
  ])('refuses a section of a wrong type: %s in %j', async (path, content, found) => {
    expect(await problemsOf(content)).toContain(`- ${path}: found ${found}, expected an object`);
  });

  it('refuses two spellings with different values', async () => {
    expect(await problemsOf({ ...withProvisioning({ port: 1883, serverPort: 1884 }), server_port: 1883 })).toEqual([
      '- provisioning.serverPort: found another value than in provisioning.port, expected one spelling, or equal values',
    ]);
  });

  it('does not show two different secrets', async () => {
    const failure = await failureOf(() => parse(withProvisioning({ provisionDeviceSecret: 'another-one' })));
    expect(failure.message).toContain('provisioning.provisionDeviceSecret: found another value');
    expect(everyWordOf(failure)).not.toMatch(/another-one|ssSS/);
  });

  it('refuses duplicate keys, also with equal values, each by its path once', async () => {
    const device = '"device":{"name":"a","name":"a","name":"a"}';
    const text = `{"provisioning":${JSON.stringify(required)},${device},"x":[{"y":1,"y":1}],"device":{}}`;
    expect(await problemsOf(text)).toEqual([
      '- device.name: found the same key more than once, expected each key once',
      '- x[0].…: found the same key more than once, expected each key once',
      '- device: found the same key more than once, expected each key once',
      '- note: unknown key x',
    ]);
  });

  it('lists at most a hundred', async () => {
    const repeated = Array.from({ length: 120 }, (_, index) => `"k${index}":1,"k${index}":1`).join(',');
    const problems = await problemsOf(`{"provisioning":${JSON.stringify(required)},${repeated}}`);
    expect(problems[100]).toBe('- and 20 more');
    expect(problems.filter((line) => line.includes('same key'))).toHaveLength(100);
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['an empty file', '', /^provision\.json is empty$/],
    ['white space', ' \n\t', /is empty$/],
    ['a byte-order mark alone', '\uFEFF', /is empty$/],
    ['invalid UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /is not UTF-8 text$/],
    ['zero bytes', new Uint8Array(512), /holds binary data instead of JSON$/],
    ['a list', '[1]', /holds a list instead of a JSON object$/],
    ['null', 'null', /holds null instead of a JSON object$/],
    ['a text', '"x"', /holds a text instead of a JSON object$/],
    ['a number', '7', /holds a number instead of a JSON object$/],
    ['33 levels', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`, /is nested deeper than 32 levels$/],
    ['100,000 levels', '['.repeat(100_000), /is nested deeper than 32 levels$/],
    [
      'a missing brace',
      '{\n  "provisioning": {\n    "port": 1\n',
      /is not valid JSON: syntax error at line 4, column 1$/,
    ],
    ['a trailing comma', '{\n "a": 1,\n}', /syntax error at line 3, column 1$/],
    ['a comment', '{ /* x */ }', /syntax error at line 1, column 3$/],
    ['two values', '{} {}', /syntax error at line 1, column 4$/],
  ])('says what is wrong with %s', async (_what, content, message) => {
    const failure = await failureOf(() => parseProvisionJson(Buffer.from(content)));
    expect(failure.code).toBe('PROVISION_JSON_INVALID');
    expect(failure.message).toMatch(message);
  });

  it('accepts 32 levels', () => {
    const deep = `${'{"a":'.repeat(31)}1${'}'.repeat(31)}`;
    expect(parse(`{"provisioning":${JSON.stringify(required)},"x":${deep}}`).warnings).toEqual(['unknown key x']);
  });

  it('quotes nothing of a text with a syntax error', async () => {
    const failure = await failureOf(() => parse(`{"provisioning":{"device_secret":"${SECRET}" "${KEY}"}}`));
    expect(failure.message).toMatch(/line 1, column 57$/);
    expect(everyWordOf(failure)).not.toMatch(/ssSS|kkKK/);
  });
});

describe('warnings', () => {
  it.each([
    [
      { provisioning: { ...required, time_out_seconds: 5 } },
      'provisioning.time_out_seconds',
      'provisioning.timeout_seconds',
    ],
    [{ provisioning: required, Device: {} }, 'Device', 'device'],
    [{ provisioning: required, host: 'x' }, 'host', 'provisioning.host'],
    [{ provisioning: required, device: { naem: 'x' } }, 'device.naem', 'device.name'],
  ])('names an unknown key and the nearest known one: %j', (content, key, nearest) => {
    expect(parse(content).warnings).toEqual([`unknown key ${key} (the nearest known key is ${nearest})`]);
  });

  it('suggests nothing for a key unlike any other, and names odd keys by their length', () => {
    const { warnings } = parse({ provisioning: required, _quux_: 1, 'a\nb': 2, ['z'.repeat(41)]: 3 });
    expect(warnings).toEqual([
      'unknown key _quux_',
      'unknown key (a key of 3 characters)',
      'unknown key (a key of 41 characters)',
    ]);
  });

  it('does not name a key that contains the secret', () => {
    const { warnings } = parse({ provisioning: { ...required, [`x${SECRET}`]: 1 } });
    expect(warnings).toEqual(['unknown key provisioning.(a key of 21 characters)']);
  });

  it('names at most twenty unknown keys', () => {
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`q${index}`, 1]));
    const { warnings } = parse({ provisioning: required, ...many });
    expect(warnings).toHaveLength(21);
    expect(warnings.at(-1)).toBe('5 more unknown keys');
  });

  it('is no problem when an unknown key is named like a member of every object', () => {
    const text = `{"provisioning":${JSON.stringify(required)},"__proto__":{"a":1},"constructor":null}`;
    expect(parse(text).warnings).toHaveLength(2);
  });

  it.each([
    [withProvisioning({ ca_file: 'ca.pem' }), 'ca_file is not used, since use_ssl is false'],
    [withDevice({ name: 'a', name_source: 'mac' }), 'device.name_source is not used, since device.name is given'],
    [withProvisioning({ device_key: ' k' }), 'the device key begins or ends with white space, which the server counts'],
    [
      withProvisioning({ device_secret: 's\n' }),
      'the device secret begins or ends with white space, which the server counts',
    ],
  ])('points out what is odd in %j', (content, warning) => {
    expect(parse(content).warnings).toEqual([warning]);
  });
});

describe('reading the file', () => {
  it('reads it', async () => {
    const path = await put(join(await scratchFolder(), 'provision.json'), JSON.stringify(withProvisioning({})));
    expect((await readProvisionJson(path)).settings.host).toBe(HOST);
  });

  it('names its path in a problem', async () => {
    const path = await put(join(await scratchFolder(), 'provision.json'), '{}');
    expect((await failureOf(() => readProvisionJson(path))).message).toContain(`${path} has 3 problems`);
  });

  it('tells an absent file and a link to nowhere', async () => {
    const folder = await scratchFolder();
    const link = join(folder, 'link.json');
    await symlink(join(folder, 'nowhere'), link);
    for (const path of [join(folder, 'provision.json'), link]) {
      expect((await failureOf(() => readProvisionJson(path))).code).toBe('PROVISION_JSON_MISSING');
    }
  });

  it('tells a folder, a FIFO and a folder that is a file', async () => {
    const folder = await scratchFolder();
    await mkdir(join(folder, 'folder.json'));
    makeFifo(join(folder, 'fifo.json'));
    await put(join(folder, 'file'), '');
    for (const name of ['folder.json', 'fifo.json', 'file/provision.json']) {
      const failure = await failureOf(() => readProvisionJson(join(folder, name)));
      expect(failure.code).toBe('PROVISION_JSON_UNREADABLE');
      expect(failure.message).toContain('is not a plain file');
    }
  });

  it('tells a file that it may not read', async () => {
    const path = await put(join(await scratchFolder(), 'provision.json'), '{}', 0o000);
    const failure = await asOrdinaryUser(() => failureOf(() => readProvisionJson(path)));
    expect(failure.code).toBe('PROVISION_JSON_UNREADABLE');
    expect(failure.message).toContain('No permission');
  });

  it('tells a path that can’t be opened for another reason', async () => {
    const failure = await failureOf(() => readProvisionJson(`/${'x'.repeat(300)}`));
    expect(failure.code).toBe('DISK_ERROR');
    expect(failure.message).toContain('Could not read');
  });

  it('accepts 64 KiB and refuses one byte more', async () => {
    const text = JSON.stringify(withProvisioning({}));
    const path = await put(join(await scratchFolder(), 'provision.json'), text.padEnd(65_536));
    expect((await readProvisionJson(path)).settings.host).toBe(HOST);
    await put(path, text.padEnd(65_537));
    const failure = await failureOf(() => readProvisionJson(path));
    expect(failure.code).toBe('PROVISION_JSON_INVALID');
    expect(failure.message).toContain('larger than 65536 bytes');
  });
});

describe('settingsDigest', () => {
  const digest = (content: unknown) => settingsDigest(parse(content).settings);
  const base = digest(withProvisioning({}));

  it('is the same for the same target, whatever the form, secret and limits', () => {
    expect(base).toMatch(/^[0-9a-f]{16}$/);
    expect(
      digest(withProvisioning({ device_secret: 'other', timeout_seconds: 5, max_retries: 0, use_ssl: false })),
    ).toBe(base);
    expect(digest(withProvisioning({ host: HOST.toUpperCase(), port: 1883 }))).toBe(base);
    expect(digest({ server_url: HOST, provision_device_key: KEY, provision_device_secret: SECRET })).toBe(base);
  });

  it.each([
    withProvisioning({ host: 'other.example' }),
    withProvisioning({ port: 1884 }),
    withProvisioning({ device_key: 'other' }),
    withProvisioning({ device_name_prefix: 'other' }),
    withDevice({ name: 'thermal-camera' }),
    withDevice({ name_source: 'mac' }),
  ])('is another for %j', (content) => {
    expect(digest(content)).not.toBe(base);
  });
});
