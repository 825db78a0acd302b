import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  dependsOnEnvironment,
  systemAuthorities,
  trustedAuthorities,
} from '../../../src/config/authorities/trustedAuthorities.ts';
import { CERTIFICATE } from './certificate.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'authorities-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

it('uses the first bundle that exists and is not empty', async () => {
  await put('empty', '');
  await put('bundle', 'the bundle');
  const paths = ['absent', 'empty', 'bundle'].map((name) => join(folder, name));
  const authorities = await systemAuthorities({}, paths);
  expect(authorities).toEqual({ pem: 'the bundle', from: `the system's bundle ${paths[2]}`, unused: '' });
  expect(dependsOnEnvironment(authorities)).toBe(false);
});

it("has no text without a bundle, so that Node's list is used", async () => {
  const absent = [join(folder, 'absent')];
  expect(await systemAuthorities({}, absent)).toEqual({ from: "Node's built-in list", unused: '' });
});

it("uses no authorities without TLS, and the system's authorities without a ca_file", async () => {
  expect(await trustedAuthorities(folder, { useSsl: false, caFile: 'absent.pem' }, 'provisioning')).toBeUndefined();
  expect(await trustedAuthorities(folder, { useSsl: true }, 'provisioning', {})).toEqual(await systemAuthorities({}));
  await expect(
    trustedAuthorities(folder, { useSsl: true, caFile: 'absent.pem' }, 'provisioning'),
  ).rejects.toMatchObject({
    code: 'CA_FILE_UNUSABLE',
  });
});

describe('the environment', () => {
  it('adds authorities with NODE_EXTRA_CA_CERTS, and replaces the bundle with SSL_CERT_FILE', async () => {
    const bundle = await put('bundle', 'the bundle');
    const own = await put('own', CERTIFICATE);
    const added = await systemAuthorities({ NODE_EXTRA_CA_CERTS: own }, [bundle]);
    expect(added.pem).toBe(`the bundle\n${CERTIFICATE}`);
    expect(added.from).toBe(`the system's bundle ${bundle} and ${own} (NODE_EXTRA_CA_CERTS)`);
    const replaced = await systemAuthorities({ SSL_CERT_FILE: own }, [bundle]);
    expect(replaced).toEqual({ pem: CERTIFICATE, from: `${own} (SSL_CERT_FILE)`, unused: '' });
    expect([added, replaced].map(dependsOnEnvironment)).toEqual([true, true]);
  });

  it("leaves Node's list to Node, which adds NODE_EXTRA_CA_CERTS by itself", async () => {
    const own = await put('own', CERTIFICATE);
    const from = `Node's built-in list and ${own} (NODE_EXTRA_CA_CERTS)`;
    expect(await systemAuthorities({ NODE_EXTRA_CA_CERTS: own }, [])).toEqual({ from, unused: '' });
  });

  it("changes nothing when it is empty or names the system's own bundle", async () => {
    const bundle = await put('bundle', 'the bundle');
    const usual = await systemAuthorities({}, [bundle]);
    expect(await systemAuthorities({ SSL_CERT_FILE: '', NODE_EXTRA_CA_CERTS: '', SSL_CERT_DIR: '' }, [bundle])).toEqual(
      usual,
    );
    expect(await systemAuthorities({ SSL_CERT_FILE: bundle, NODE_EXTRA_CA_CERTS: bundle }, [bundle])).toEqual(usual);
  });

  it('that names unusable files or a folder is not used, and the hint of a failure says so', async () => {
    const bundle = await put('bundle', 'the bundle');
    const text = await put('text', 'no certificate');
    const absent = join(folder, 'absent');
    const env = { NODE_EXTRA_CA_CERTS: text, SSL_CERT_FILE: absent, SSL_CERT_DIR: folder };
    expect(await systemAuthorities(env, [bundle])).toEqual({
      pem: 'the bundle',
      from: `the system's bundle ${bundle}`,
      unused: ` SSL_CERT_FILE is not used: ${absent}: it does not exist. NODE_EXTRA_CA_CERTS is not used: ${text}: it holds no PEM certificate. SSL_CERT_DIR is not used.`,
    });
  });

  it('is not used beside a ca_file, and the hint of a failure says so', async () => {
    await put('ca.pem', CERTIFICATE);
    const settings = { useSsl: true, caFile: 'ca.pem' };
    const env = { NODE_EXTRA_CA_CERTS: '/some/file', SSL_CERT_DIR: '/some/folder' };
    expect(await trustedAuthorities(folder, settings, 'provisioning', env)).toEqual({
      pem: CERTIFICATE,
      from: 'ca_file ca.pem',
      unused: ' Not used, because ca_file is set: NODE_EXTRA_CA_CERTS, SSL_CERT_DIR.',
    });
    expect((await trustedAuthorities(folder, settings, 'provisioning', {}))?.unused).toBe('');
  });
});
