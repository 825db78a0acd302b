import { describe, expect, it } from 'vitest';
import { lastPart, plain as plainKey } from '../../../src/config/provision/keyWords.ts';
import { SETTINGS, type Setting } from '../../../src/config/provision/provisionSettings.ts';
import { settingsDigest } from '../../../src/config/provision/settingsDigest.ts';
import { UNACCEPTED_KEYS } from '../../../src/config/provision/unacceptedKeys.ts';
import { everyWordOf, failureOf } from '../scratch.ts';
import { at, STYLES, VALUES } from './provisionJsonKeys.ts';
import {
  HOST,
  KEY,
  parse,
  plain,
  problemsOf,
  required,
  SECRET,
  withDevice,
  withProvisioning,
} from './provisionJsonTexts.ts';

const settings: readonly [string, Setting<unknown>][] = Object.entries(SETTINGS);
const settingsOf = (content: unknown) => ({ ...plain(content), digest: settingsDigest(parse(content).settings) });

describe('a synonym', () => {
  const synonyms = settings.flatMap(([name, { spellings, synonyms: words = [] }]) =>
    words.map((synonym) => ({ name, documented: String(spellings[0]), synonym })),
  );

  it.each(synonyms)(
    '$synonym is taken for $documented in any style, with a note, and the digest is the same',
    ({ name, documented, synonym }) => {
      const value = VALUES[name] ?? true;
      const expected = settingsOf(at(documented, value));
      const section = synonym.includes('.') ? `${synonym.split('.')[0]}.` : '';
      for (const style of STYLES) {
        const path = `${section}${style(lastPart(synonym))}`;
        expect(settingsOf(at(path, value))).toEqual(expected);
        expect(parse(at(path, value))).toMatchObject({
          warnings: [],
          notes: [expect.stringContaining(`is taken for ${documented}`)],
        });
      }
    },
  );

  it('is accepted in provisioning and in its own section, too', () => {
    expect(parse(withProvisioning({ deviceName: 'cam-1' })).notes).toEqual([
      'provisioning.deviceName is taken for device.name',
    ]);
    expect(parse(withDevice({ device_name: 'cam-1' })).settings.name).toEqual({ source: 'fixed', name: 'cam-1' });
    expect(parse({ ...withProvisioning({}), deviceName: 'cam-1' }).settings.name).toEqual({
      source: 'fixed',
      name: 'cam-1',
    });
  });

  it('stands for one setting alone', () => {
    const words = settings.flatMap(([, { spellings, synonyms: more = [] }]) => [
      ...new Set([...spellings, ...more].map((path) => plainKey(lastPart(path)))),
    ]);
    expect(words.toSorted()).toEqual([...new Set(words)].toSorted());
  });

  it('with TLS uses TLS, and its port', () => {
    expect(parse(withProvisioning({ tls: true })).settings).toMatchObject({ useSsl: true, port: 8883 });
    expect(parse(withProvisioning({ useTls: true, port: 1884 })).settings).toMatchObject({ useSsl: true, port: 1884 });
  });

  it('with a value of a wrong type is an error', async () => {
    const problems = await problemsOf(withProvisioning({ tls: { enabled: true }, secure: 'yes' }));
    expect(problems.slice(0, 2)).toEqual([
      '- provisioning.tls: found an object, expected true or false, without quotes',
      '- provisioning.secure: found a string of 3 characters, expected true or false, without quotes',
    ]);
  });

  it('that disagrees with the key is an error that names both', async () => {
    expect(await problemsOf({ ...withDevice({ name: 'cam-1' }), device_name: 'cam-2' })).toEqual([
      '- device_name: found a different value than in device.name, expected one spelling, or equal values',
      '- note: device_name is taken for device.name',
    ]);
  });
});

describe('a section in another style', () => {
  it('is read, with a note for each of its keys', () => {
    const {
      settings: { name },
      notes,
    } = parse({ provisioning: required, Device: { name: 'cam-1' } });
    expect(name).toEqual({ source: 'fixed', name: 'cam-1' });
    expect(notes).toEqual(['Device.name is taken for device.name']);
  });

  it('that is misspelt or not an object is an error', async () => {
    expect(await problemsOf({ provisioning: required, devices: [], DEVICE: 'cam-1' })).toEqual([
      '- DEVICE: found a string, expected an object',
      '- devices: found a key that is not accepted, expected the section device',
    ]);
  });
});

describe('a key that asks for something else than the agent would do', () => {
  const examples = UNACCEPTED_KEYS.flatMap(({ examples: keys, expected, deep = false }) =>
    keys.map((key) => ({ key, expected, deep })),
  );

  it.each(examples)('$key is an error in any style at any place', async ({ key, expected, deep }) => {
    for (const style of STYLES) {
      for (const section of ['', 'provisioning.', 'device.']) {
        const path = section + style(key);
        expect(await problemsOf(at(path, 'zz'))).toEqual([
          `- ${path}: found a key that is not accepted, expected ${expected}`,
        ]);
      }
    }
    if (!deep) return;
    const inside = await problemsOf({ provisioning: { ...required, mqtt: { options: { [key]: 1 } } } });
    expect(inside[0]).toBe(
      `- provisioning.mqtt.options.${key}: found a key that is not accepted, expected ${expected}`,
    );
  });

  it.each([
    ['name', 'device.name'],
    ['prefix', 'provisioning.device_name_prefix'],
    ['key', 'provisioning.device_key'],
    ['secret', 'provisioning.device_secret'],
    ['device.secret', 'provisioning.device_secret'],
    ['device.host', 'provisioning.host'],
    ['device.use_tls', 'provisioning.use_ssl'],
    ['provisioning.credentials', 'device.credentials'],
    ['device.naem', 'device.name'],
    ['provisioning.hots', 'provisioning.host'],
    ['provisioning.use_sll', 'provisioning.use_ssl'],
    ['provisioning.max_retires', 'provisioning.max_retries'],
    ['provisioning.server_post', 'provisioning.port or provisioning.host'],
  ])('%s is an error that names %s', async (path, expected) => {
    expect(await problemsOf(at(path, 'zz'))).toEqual([
      `- ${path}: found a key that is not accepted, expected ${expected}`,
    ]);
  });

  it('is found in a section that the agent does not know', async () => {
    const content = {
      provisioning: required,
      mqtt: { rootCA: 'ca.pem', security: { useTls: true } },
      camera: { name: 'cam-1' },
    };
    expect(await problemsOf(content)).toEqual([
      '- mqtt.rootCA: found a key that is not accepted, expected provisioning.ca_file',
      '- mqtt.security: found a key that is not accepted, expected provisioning.use_ssl, true or false',
      '- camera.name: found a key that is not accepted, expected device.name',
      '- note: unknown key mqtt',
      '- note: unknown key camera',
    ]);
  });

  it('a key with a dot at the top is no section', async () => {
    expect(await problemsOf({ provisioning: required, 'provisioning.use_ssl': true })).toEqual([
      '- provisioning.use_ssl: found a key that is not accepted, expected provisioning.use_ssl',
    ]);
  });

  it.each([
    { provisioning: { ...required, device_secrte: 'QUUX1' }, QUUX1: 1 },
    { provisioning: { ...required, token: 'QUUX1' }, QUUX1: 1 },
    { device: { secret: 'QUUX1' }, 'a.QUUX1': { QUUX1: { tls: 1 } } },
    { provision_secret: 'QUUX1', provisionSecret: 'QUUX2', QUUX1: 1 },
  ])('its value is shown nowhere: %j', async (content) => {
    const failure = await failureOf(() => parse(content));
    expect(everyWordOf(failure)).not.toContain('QUUX');
  });
});

describe('an unknown key that asks for nothing', () => {
  it.each([
    ...['note', 'notes', 'comment', '_comment', '//', '#use_ssl', '_use_ssl', '$schema', 'site', 'location', 'version'],
    ...['description', 'customer', 'serial', 'serial_number', 'installer', 'installed_at', 'created', 'tags', 'label'],
    ...[
      'use_ssl_note',
      'hostComment',
      'tls-help',
      'site_name',
      'company',
      'contact',
      'building',
      'floor',
      'zone',
      'spare',
    ],
    ...['wifi_password', 'ntp_server', 'time_zone', 'strategy', 'interval_seconds'],
  ])('%s stays a warning without a guess', (key) => {
    for (const content of [
      { ...withProvisioning({}), [key]: true },
      withProvisioning({ [key]: true }),
      withDevice({ [key]: 'x' }),
    ]) {
      const { warnings, notes } = parse(content);
      expect(warnings).toEqual([
        expect.stringMatching(/^unknown key [^ ]+$|^unknown key .*\(a key of \d+ characters\)$/),
      ]);
      expect(notes).toEqual([]);
    }
  });

  it('is not searched for comments and for names of other things', () => {
    const content = {
      site: { name: 'Hall 7', url: 'https://x', _tls: true },
      _former: { use_tls: true },
      list: [{ tls: true }],
    };
    expect(parse({ ...content, provisioning: required }).warnings).toHaveLength(3);
  });
});

describe('a CA file', () => {
  it.each([{ ca_file: 'ca.pem' }, { caCert: 'ca.pem', port: 1883 }])(
    'without a word on TLS is an error: %j',
    async (given) => {
      const problems = await problemsOf(withProvisioning(given));
      expect(problems[0]).toBe(
        `- provisioning.use_ssl: found nothing, but provisioning.${Object.keys(given)[0]} is set, expected true or false, without quotes`,
      );
    },
  );

  it('in a flat file asks for the key of a flat file', async () => {
    expect(await problemsOf({ ...required, ca_file: 'ca.pem' })).toEqual([
      expect.stringMatching(/^- use_ssl: found nothing, but ca_file is set/),
    ]);
  });

  it.each([{ port: 8883 }, { tls: true }])('is used with TLS: %j', (given) => {
    expect(parse(withProvisioning({ ca_file: 'ca.pem', ...given }))).toMatchObject({
      settings: { caFile: 'ca.pem', useSsl: true },
      warnings: [],
    });
  });
});

describe('a server with a scheme', () => {
  it.each(['mqtts://', 'ssl://', 'tls://', 'wss://', 'https://', 'MQTTS://'])(
    '%s is an error that names TLS',
    async (scheme) => {
      for (const key of ['host', 'serverUrl', 'url', 'server']) {
        const [problem] = await problemsOf({ device_key: KEY, device_secret: SECRET, [key]: scheme + HOST });
        expect(problem).toMatch(/found a URL with a scheme for TLS, expected .*use_ssl: true/);
      }
    },
  );
});
