import { join } from 'node:path';
import { expect, test } from 'vitest';
import { currentSettings, endpointOf } from '../../../src/config/provision/currentSettings.ts';
import { readProvisionJson } from '../../../src/config/provision/provisionJson.ts';
import { settingsDigest } from '../../../src/config/provision/settingsDigest.ts';
import { recordedLog } from '../../support/recordedLog.ts';
import { failureOf, put, scratchFolder } from '../scratch.ts';
import { required } from './provisionJsonTexts.ts';

/** A run's provision.json that is replaced by another one, and what the run reads then. */
async function changed(before: object, after: object) {
  const provisionJson = join(await scratchFolder(), 'provision.json');
  await put(provisionJson, JSON.stringify(before));
  const digest = settingsDigest((await readProvisionJson(provisionJson)).settings);
  await put(provisionJson, JSON.stringify(after));
  const { log, lines } = recordedLog();
  return { lines, read: () => currentSettings({ paths: { provisionJson }, log }, digest) };
}

test('a secret and limits that were corrected during a run are used', async () => {
  const { lines, read } = await changed(required, { ...required, device_secret: 'corrected', timeout_seconds: 7 });
  const settings = await read();
  expect([settings.deviceSecret.reveal(), settings.timeoutSeconds]).toEqual(['corrected', 7]);
  expect(lines).toEqual([]);
});

test('another server is not: a token is never sent to a second server', async () => {
  const { lines, read } = await changed(required, { ...required, host: 'other.example' });
  const failure = await failureOf(read);
  expect(failure.code).toBe('SETTINGS_CHANGED');
  expect(failure.message).toMatch(/^provision\.json/);
  expect(lines).toMatchObject([{ level: 'warn', event: 'settings.changed' }]);
});

test('without TLS the server has no authorities; with a CA file it has only those', async () => {
  const folder = await scratchFolder();
  const [plain, own] = [required, { ...required, use_ssl: true, ca_file: 'absent.pem' }].map(async (content, index) => {
    const path = await put(join(folder, `${index}.json`), JSON.stringify(content));
    return (await readProvisionJson(path)).settings;
  });
  if (plain === undefined || own === undefined) throw new Error('two files');
  const server = { host: required.host, port: 1883, useSsl: false, ca: undefined };
  expect(await endpointOf(await plain, folder)).toEqual(server);
  const settings = await own;
  const failure = await failureOf(() => endpointOf(settings, folder));
  expect(failure.message).toContain('absent.pem');
  expect(failure.hint).toContain('provisioning.ca_file');
});
