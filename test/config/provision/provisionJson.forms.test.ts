import { describe, expect, it } from 'vitest';
import { settingsDigest } from '../../../src/config/provision/settingsDigest.ts';
import { HOST, KEY, parse, plain, required, SECRET, withDevice, withProvisioning } from './provisionJsonTexts.ts';

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

  it('reads the flat camel-case form of the former client', () => {
    const flat = {
      serverUrl: HOST,
      serverPort: 1884,
      provisionDeviceKey: KEY,
      provisionDeviceSecret: SECRET,
      deviceNamePrefix: 'cam',
      timeoutSeconds: 12,
      useSsl: true,
    };
    expect(plain(flat)).toEqual(sevenSettings);
    expect(parse(flat)).toMatchObject({ warnings: [], notes: [] });
  });

  it('reads the short flat form of the former client, with every key of provisioning', () => {
    const provisioning = {
      ...{
        ...required,
        port: 1884,
        use_ssl: true,
        ca_file: 'ca.pem',
        timeout_seconds: 12,
        max_retries: 1,
        scrub: true,
      },
      device_name_prefix: 'cam',
    };
    expect(plain(provisioning)).toEqual(plain({ provisioning }));
    expect(parse(provisioning)).toMatchObject({ warnings: [], notes: [] });
  });

  it('reads mixed forms, and equal values in two spellings', () => {
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
  ])('sets the defaults of port and use_ssl from each other: %j', (given, server) => {
    expect(parse(withProvisioning(given)).settings).toMatchObject(server);
  });

  it.each([
    [{ name_source: 'mac' }, { source: 'mac', prefix: 'thermal-camera' }],
    [
      { name_source: 'random', device_name_prefix: 'x' },
      { source: 'random', prefix: 'x' },
    ],
    [{ name: 'A_b-9' }, { source: 'fixed', name: 'A_b-9' }],
    [{ name: 'A-{serial}' }, { source: 'template', template: 'A-{serial}' }],
    [{ name_source: 'machine-id' }, { source: 'machine-id', prefix: 'thermal-camera' }],
    [{ name_source: 'command:/opt/name it' }, { source: 'command', prefix: 'thermal-camera', command: '/opt/name it' }],
  ])('reads the name settings %j', (device, name) => {
    expect(parse(withDevice(device)).settings.name).toEqual(name);
  });

  it('registers a gateway only if the file says so', () => {
    expect(parse(withDevice({ gateway: true })).settings.gateway).toBe(true);
    expect(parse(withDevice({ gateway: false })).settings).not.toHaveProperty('gateway');
  });

  it('accepts a byte-order mark and surrounding white space', () => {
    expect(parse(`\uFEFF\n ${JSON.stringify(withProvisioning({}))} \r\n\t\n`).settings.host).toBe(HOST);
  });

  it.each([
    withProvisioning({ allow_volatile_storage: true }),
    withProvisioning({ allowVolatileStorage: true }),
    { ...withProvisioning({}), allow_volatile_storage: true },
  ])('reads the permission for volatile storage, which does not change the identity of the run: %j', (content) => {
    const { settings, warnings } = parse(content);
    expect([settings.allowVolatileStorage, warnings]).toEqual([true, []]);
    expect(settingsDigest(settings)).toBe(settingsDigest(parse(withProvisioning({})).settings));
  });

  it('accepts access_token as credentials', () => {
    expect(parse(withDevice({ credentials: 'access_token' })).warnings).toEqual([]);
  });
});

describe('warnings', () => {
  it('names an unknown key without a guess, and describes an unreadable key by its length', () => {
    const { warnings } = parse({ provisioning: required, _quux_: 1, 'a\nb': 2, ['z'.repeat(41)]: 3 });
    expect(warnings).toEqual([
      'unknown key _quux_',
      'unknown key (a key of 3 characters)',
      'unknown key (a key of 41 characters)',
    ]);
  });

  it.each([KEY, SECRET])('does not name a key that contains the key or the secret', (text) => {
    const { warnings } = parse({ provisioning: { ...required, [`x${text}`]: 1 } });
    expect(warnings).toEqual(['unknown key provisioning.(a key of 21 characters)']);
  });

  it('names at most twenty unknown keys', () => {
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`q${index}`, 1]));
    const { warnings } = parse({ provisioning: required, ...many });
    expect(warnings).toHaveLength(21);
    expect(warnings.at(-1)).toBe('5 more unknown keys');
    const twenty = Object.fromEntries(Object.entries(many).slice(0, 20));
    expect(parse({ provisioning: required, ...twenty }).warnings.at(-1)).toBe('unknown key q19');
  });

  it('accepts an unknown key with the name of a member of every object', () => {
    const text = `{"provisioning":${JSON.stringify(required)},"__proto__":{"a":1},"constructor":null}`;
    expect(parse(text).warnings).toHaveLength(2);
  });

  it.each([
    [withProvisioning({ ca_file: 'ca.pem', use_ssl: false }), 'ca_file is not used, because use_ssl is false'],
    [
      withProvisioning({ port: 8883, use_ssl: false }),
      'use_ssl is false: the connection to port 8883 is not encrypted, although it is the port for TLS',
    ],
    [withDevice({ name: 'a', name_source: 'mac' }), 'device.name_source is not used, because device.name is set'],
    [
      withProvisioning({ device_key: ' k' }),
      'the device key starts or ends with white space, and the server does not trim it',
    ],
    [
      withProvisioning({ device_secret: 's\n' }),
      'the device secret starts or ends with white space, and the server does not trim it',
    ],
  ])('warns about %j', (content, warning) => {
    expect(parse(content).warnings).toEqual([warning]);
  });
});
