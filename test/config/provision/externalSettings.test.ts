import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  EXTERNAL_VARIABLES,
  type ExternalSettings,
  externalSettings,
} from '../../../src/config/provision/externalSettings.ts';
import { readProvisionJson, readPublicSettings } from '../../../src/config/provision/provisionJson.ts';
import { settingsDigest } from '../../../src/config/provision/settingsDigest.ts';
import { failureOf } from '../scratch.ts';
import { HOST, KEY, required, SECRET } from './provisionJsonTexts.ts';

const HOST_ONLY = { provisioning: { host: HOST } };
let folder = '';
let own = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thermal-elsewhere-'));
  own = join(folder, 'provision.json');
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
});

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const lay = (content: unknown): Promise<string> => file('provision.json', JSON.stringify(content));

async function read(external: ExternalSettings) {
  const { settings, warnings, path } = await readProvisionJson(own, external);
  return {
    key: settings.deviceKey.reveal(),
    secret: settings.deviceSecret.reveal(),
    digest: settingsDigest(settings),
    warnings,
    path,
  };
}

async function problems(external: ExternalSettings): Promise<readonly string[]> {
  const { message } = await failureOf(() => readProvisionJson(own, external));
  expect(message).not.toContain(KEY);
  expect(message).not.toContain(SECRET);
  return message.split('\n');
}

describe('key and secret from the environment', () => {
  it('as values: provision.json needs no key and no secret', async () => {
    await lay(HOST_ONLY);
    const given = externalSettings({ THERMAL_DEVICE_KEY: KEY, THERMAL_DEVICE_SECRET: SECRET });
    expect(await read(given)).toMatchObject({ key: KEY, secret: SECRET, warnings: [] });
  });

  it.each(['', '\n', '\r\n'])('as files that end with %j', async (end) => {
    await lay(HOST_ONLY);
    const given = externalSettings({
      THERMAL_DEVICE_KEY_FILE: await file('key', KEY + end),
      THERMAL_DEVICE_SECRET_FILE: await file('secret', SECRET + end),
    });
    expect(await read(given)).toMatchObject({ key: KEY, secret: SECRET });
  });

  it.each(['k', 'k'.repeat(256), 'two\nlines'])(
    'of any length that is allowed, also with a line end inside: %j',
    async (key) => {
      await lay({ provisioning: { ...required, device_key: 'former' } });
      const given = externalSettings({ THERMAL_DEVICE_KEY_FILE: await file('key', key) });
      expect(await read(given)).toMatchObject({ key, secret: SECRET });
    },
  );

  it('are all named, for programs that must not inherit them', () => {
    expect(EXTERNAL_VARIABLES).toEqual([
      'THERMAL_DEVICE_KEY',
      'THERMAL_DEVICE_KEY_FILE',
      'THERMAL_DEVICE_SECRET',
      'THERMAL_DEVICE_SECRET_FILE',
      'CREDENTIALS_DIRECTORY',
      'THERMAL_BOARD_SECRET_FILE',
      'https_proxy',
      'HTTPS_PROXY',
      'all_proxy',
      'ALL_PROXY',
      'no_proxy',
      'NO_PROXY',
    ]);
  });

  it('the digest, which decides whether a run resumes, does not depend on the source of the key', async () => {
    await lay({ provisioning: required });
    const inFile = await read({});
    await lay(HOST_ONLY);
    const asValue = await read(externalSettings({ THERMAL_DEVICE_KEY: KEY, THERMAL_DEVICE_SECRET: SECRET }));
    expect(asValue.digest).toBe(inFile.digest);
    const other = await read(externalSettings({ THERMAL_DEVICE_KEY: 'other', THERMAL_DEVICE_SECRET: SECRET }));
    expect(other.digest).not.toBe(inFile.digest);
  });

  it('they override provision.json, with a warning if its value is different', async () => {
    await lay({ provisioning: { ...required, device_secret: 'former' } });
    const given = externalSettings({ THERMAL_DEVICE_KEY: KEY, THERMAL_DEVICE_SECRET: SECRET });
    expect(await read(given)).toMatchObject({
      key: KEY,
      secret: SECRET,
      warnings: ['provisioning.device_secret is not used, because THERMAL_DEVICE_SECRET is set'],
    });
  });

  it('a key that overrides another one is named, too', async () => {
    await lay({ provisioning: required, deviceKey: KEY });
    const given = externalSettings({ THERMAL_DEVICE_KEY: 'other', THERMAL_DEVICE_SECRET: SECRET });
    expect((await read(given)).warnings).toEqual([
      'provisioning.device_key is not used, because THERMAL_DEVICE_KEY is set',
    ]);
  });

  it('an empty variable counts as not set', async () => {
    await lay({ provisioning: required });
    const empty = { THERMAL_DEVICE_KEY: '', THERMAL_DEVICE_KEY_FILE: '', CREDENTIALS_DIRECTORY: '' };
    expect(externalSettings(empty)).toEqual({});
  });
});

describe('problems of external settings', () => {
  it('are reported together with the problems of the file, each with its source', async () => {
    await lay({ provisioning: { host: HOST, port: 0 }, device: { name: 'ä' } });
    const missing = join(folder, 'missing');
    const given = externalSettings({ THERMAL_DEVICE_KEY: 'k'.repeat(257), THERMAL_DEVICE_SECRET_FILE: missing });
    expect(await problems(given)).toEqual([
      `${own} has 4 problems:`,
      '- provisioning.port: found 0, expected an integer from 1 to 65535, without quotes',
      '- device.name: found a string of 1 characters, expected 1 to 64 characters of A-Z, a-z, 0-9, _ and -, and {serial}, {mac}, {hostname}, {machine-id}, {random}',
      '- THERMAL_DEVICE_KEY: found a string of 257 characters, expected a string of 1 to 256 characters',
      `- THERMAL_DEVICE_SECRET_FILE (${missing}): found no such file, expected a file with a string of 1 to 256 characters`,
    ]);
  });

  it('a variable together with its _FILE, an empty file, a folder, and a file far too large are refused', async () => {
    await lay({ provisioning: required });
    const both = { THERMAL_DEVICE_KEY: KEY, THERMAL_DEVICE_KEY_FILE: await file('key', KEY) };
    expect(await problems(externalSettings(both))).toContain(
      '- THERMAL_DEVICE_KEY_FILE: found a file in addition to THERMAL_DEVICE_KEY, expected only one of the two',
    );
    for (const [path, found] of [
      [await file('empty', '\n'), 'an empty string'],
      [folder, 'something that is not a plain file'],
      [await file('large', 'x'.repeat(5000)), 'a file of more than 4096 bytes'],
    ]) {
      const lines = await problems(externalSettings({ THERMAL_DEVICE_SECRET_FILE: path }));
      expect(lines[1]).toContain(`THERMAL_DEVICE_SECRET_FILE (${path}): found ${found}`);
    }
  });

  it('a value that is wrong is the only problem of that setting', async () => {
    await lay(HOST_ONLY);
    const lines = await problems(
      externalSettings({ THERMAL_DEVICE_KEY: 'k'.repeat(257), THERMAL_DEVICE_SECRET: SECRET }),
    );
    expect(lines).toHaveLength(2);
    const others = await problems(
      externalSettings({ THERMAL_DEVICE_KEY: KEY, THERMAL_DEVICE_SECRET: 's'.repeat(257) }),
    );
    expect(others).toHaveLength(2);
    // It says nothing of the other setting.
    const both = await problems(externalSettings({ THERMAL_DEVICE_KEY: 'k'.repeat(257) }));
    expect(both).toContainEqual(expect.stringContaining('provisioning.device_secret: found nothing'));
    const reverse = await problems(externalSettings({ THERMAL_DEVICE_SECRET: 's'.repeat(257) }));
    expect(reverse).toContainEqual(expect.stringContaining('provisioning.device_key: found nothing'));
  });

  it('the secret is still missing when only the key is given', async () => {
    await lay(HOST_ONLY);
    expect(await problems(externalSettings({ THERMAL_DEVICE_KEY: KEY }))).toEqual([
      `${own} has 1 problem:`,
      '- provisioning.device_secret: found nothing, expected a string of 1 to 256 characters',
    ]);
  });

  it('a given secret that is used as a key name is not shown', async () => {
    await lay({ provisioning: { host: HOST, [SECRET]: 1 } });
    const lines = await problems(externalSettings({ THERMAL_DEVICE_SECRET: SECRET }));
    expect(lines.join('\n')).toContain(`(a key of ${SECRET.length} characters)`);
  });
});

describe('provision.json in $CREDENTIALS_DIRECTORY', () => {
  const inCredentials = async (content: unknown) => {
    const directory = await mkdtemp(join(tmpdir(), 'thermal-credentials-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    await writeFile(join(directory, 'provision.json'), JSON.stringify(content));
    return { directory, external: externalSettings({ CREDENTIALS_DIRECTORY: directory }) };
  };

  it('is used when the device folder has none', async () => {
    const { directory, external } = await inCredentials({ provisioning: required });
    expect(await read(external)).toMatchObject({ key: KEY, path: join(directory, 'provision.json') });
  });

  it('is not read when the device folder has one, valid or not', async () => {
    const { external } = await inCredentials({ provisioning: { ...required, device_key: 'other' } });
    await lay({ provisioning: required });
    expect(await read(external)).toMatchObject({ key: KEY, path: own });
    await file('provision.json', '{');
    expect((await failureOf(() => readProvisionJson(own, external))).message).toContain(own);
    await rm(own);
    await mkdir(own);
    const failure = await failureOf(() => readProvisionJson(own, external));
    expect([failure.code, failure.message]).toEqual(['PROVISION_JSON_UNREADABLE', expect.stringContaining(own)]);
  });

  it('is named in its problems; if both files are missing, the message names both and the external problems', async () => {
    const { directory, external } = await inCredentials({});
    expect((await problems(external))[0]).toBe(`${join(directory, 'provision.json')} has 3 problems:`);
    await rm(join(directory, 'provision.json'));
    const failure = await failureOf(() =>
      readProvisionJson(own, { ...external, ...externalSettings({ THERMAL_DEVICE_KEY_FILE: '/no/such' }) }),
    );
    expect(failure.code).toBe('PROVISION_JSON_MISSING');
    expect(failure.message).toBe(
      `There is no ${own}, and no ${join(directory, 'provision.json')}\n- THERMAL_DEVICE_KEY_FILE (/no/such): found no such file, expected a file with a string of 1 to 256 characters`,
    );
  });
});

describe('for callers that do not connect to the server', () => {
  it('key and secret may be missing; without a key there is no digest', async () => {
    await lay(HOST_ONLY);
    expect(await readPublicSettings(own)).toMatchObject({ settings: { host: HOST, port: 1883 }, digest: undefined });
    await lay({ provisioning: { host: HOST, device_key: KEY } });
    const { digest } = await readPublicSettings(own);
    await lay({ provisioning: required });
    expect(digest).toBe((await read({})).digest);
  });
});
