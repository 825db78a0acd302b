import { generateKeyPairSync } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freshConfig } from '../../src/config/thermal/credentialsSections.ts';
import { selfSigned } from '../../src/device/selfSigned.ts';
import { checkClientKey, checkConfiguredCertificate } from '../../src/doctor/clientCertificate.ts';
import { examine } from '../../src/doctor/examine.ts';
import { credentials } from '../config/credentials.ts';
import { put, scratchFolder } from '../config/scratch.ts';
import { makeDeviceFolder } from '../support/deviceFolder.ts';
import { closedPort } from '../support/strangeServers.ts';

const [CERT, KEY] = ['client_cert-00c0ffee.pem', 'client_key-00c0ffee.pem'];
const CONFIG = freshConfig(
  credentials({ useSsl: true, login: { type: 'X509_CERTIFICATE', certFile: CERT, keyFile: KEY } }),
);
const PAIR = await selfSigned('camera-1');
const locked = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'pass-phrase' },
}).privateKey;

async function deviceFolder(): Promise<string> {
  const folder = await scratchFolder();
  await put(join(folder, CERT), PAIR.certificate, 0o600);
  await put(join(folder, KEY), PAIR.key.reveal(), 0o600);
  return folder;
}

describe('the certificate with which the camera logs in', () => {
  it('is fine when the key fits and is private', async () => {
    expect(await checkConfiguredCertificate(await deviceFolder(), CONFIG)).toEqual([
      { verdict: 'passed', message: `the camera logs in with the certificate ${CERT}, and its key fits` },
    ]);
  });

  it.each<[string, (folder: string) => Promise<unknown>, RegExp]>([
    ['the certificate is gone', (folder) => rm(join(folder, CERT)), /client_cert-00c0ffee\.pem: there is no such file/],
    ['the key is gone', (folder) => rm(join(folder, KEY)), /client_key-00c0ffee\.pem: there is no such file/],
    ['the certificate is damaged', (folder) => put(join(folder, CERT), 'x'), /does not hold a certificate in PEM form/],
    ['the key has a password', (folder) => put(join(folder, KEY), locked), /does not hold the private key/],
    [
      'the key belongs to another certificate',
      async (folder) => put(join(folder, KEY), (await selfSigned('camera-1')).key.reveal()),
      /does not hold the private key of the certificate/,
    ],
    [
      'others can read the key',
      (folder) => chmod(join(folder, KEY), 0o640),
      /can access the private key .* \(mode 640\)/,
    ],
  ])('is a warning when %s', async (_what, spoil, message) => {
    const folder = await deviceFolder();
    await spoil(folder);
    const findings = await checkConfiguredCertificate(folder, CONFIG);
    expect(findings.at(-1)).toMatchObject({ verdict: 'warning', message: expect.stringMatching(message) });
    expect(findings.at(-1)?.hint).toBeTruthy();
    expect(JSON.stringify(findings)).not.toContain(PAIR.key.reveal().slice(30, 60));
  });

  it('is not looked for when the camera logs in with a token, or has no configuration', async () => {
    const folder = await scratchFolder();
    expect(await checkConfiguredCertificate(folder, freshConfig(credentials()))).toEqual([]);
    expect(await checkConfiguredCertificate(folder, undefined)).toEqual([]);
  });
});

describe('client_key.pem', () => {
  it('may be absent', async () => {
    expect(await checkClientKey(await scratchFolder())).toEqual([]);
  });

  it.each([
    ['P-256', PAIR.key.reveal(), 'ec'],
    [
      'RSA',
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }),
      'rsa',
    ],
  ])('with a private %s key passes', async (_what, pem, kind) => {
    const folder = await scratchFolder();
    await put(join(folder, 'client_key.pem'), pem, 0o600);
    expect(await checkClientKey(folder)).toEqual([
      { verdict: 'passed', message: `${join(folder, 'client_key.pem')} holds a private key (${kind})` },
    ]);
  });

  it.each<[string, string, number, RegExp]>([
    ['has a password', locked, 0o600, /does not hold a private key without a password/],
    ['is something else', 'x', 0o600, /does not hold a private key/],
    ['is a certificate', PAIR.certificate, 0o600, /does not hold a private key/],
    ['can be read by others', PAIR.key.reveal(), 0o644, /other users can access the private key .* \(mode 644\)/],
  ])('is a warning when it %s', async (_what, pem, mode, message) => {
    const folder = await scratchFolder();
    await put(join(folder, 'client_key.pem'), pem, mode);
    const findings = await checkClientKey(folder);
    expect(findings.at(-1)).toMatchObject({ verdict: 'warning', message: expect.stringMatching(message) });
  });
});

it.each([
  ['mqtt_basic', ['"client_id": "cam-1"', '"username": "[the new user name]"', '"password": "[the new password]"']],
  ['x509', ['"client_cert_file": "client_cert-XXXXXXXX.pem"', '"client_key_file": "client_key-XXXXXXXX.pem"']],
])('the plan for "%s" has the login of that kind, and no token', async (kind, lines) => {
  const { paths } = await makeDeviceFolder(onTestFinished, {
    port: await closedPort(),
    provisioning: { use_ssl: true },
    device: { name: 'cam-1', credentials: kind },
  });
  const { reports, plan } = examine({ paths, now: Date.now(), boardId: 'board-1', keyCheck: false });
  const settings = (await Promise.all(reports)).find(({ title }) => title === 'provision.json');
  expect(settings?.findings[0]?.message).toMatch(new RegExp(`with TLS, credentials "${kind}"$`));
  const added = (await plan)?.diff.split('\n').filter((line) => line.startsWith('+')) ?? [];
  for (const line of lines) expect(added.join('\n')).toContain(line);
  expect(added.join('\n')).not.toContain('access_token');
});
