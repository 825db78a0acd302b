import { X509Certificate } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ACTIVE_STATES, type ProvisionState } from '../../machines/provision.states.ts';
import type { CredentialsKind } from '../../src/device/candidate.ts';
import type { DevicePaths } from '../../src/device/paths.ts';
import type { MessageAction } from '../../src/simulator/faults.ts';
import type { SimulatorOptions } from '../../src/simulator/simulator.ts';
import { put } from '../config/scratch.ts';
import { cutIn, runDevice, scene } from '../support/agentRun.ts';
import { OLD_TOKEN, putTrigger } from '../support/deviceFiles.ts';
import { loginKeys, thingsboardSection } from '../support/fileLogin.ts';
import { loginScene, OTHER_KINDS } from '../support/loginScene.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';

const KEYS: Readonly<Record<CredentialsKind, readonly string[]>> = {
  access_token: ['access_token'],
  mqtt_basic: ['client_id', 'username', 'password'],
  x509: ['client_cert_file', 'client_key_file'],
};
const clientFiles = async ({ deviceFolder }: DevicePaths): Promise<string[]> =>
  (await readdir(deviceFolder)).filter((name) => name.startsWith('client_')).sort();

/** Faults of the first request, and the number of requests that the run then needs. */
const FAULTS: readonly (readonly [what: string, fault: MessageAction, requests: number])[] = [
  ['closed without being carried out', { action: 'close' }, 2],
  ['carried out, closed without an answer', { action: 'dropAnswerAndClose' }, 1],
  ['carried out, half of the answer', { action: 'malformedAnswer' }, 1],
];
const WAY_TO: Partial<Record<ProvisionState, SimulatorOptions>> = {
  backoff: { faults: [{ on: 'provisionConnect', nth: 1, action: 'refuse', code: 3 }] },
  reconcile: { faults: [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }] },
};

describe.each(OTHER_KINDS)('credentials "%s"', (kind) => {
  test('are generated, proven and written in place of the old token', async () => {
    const { simulator, paths } = await loginScene(kind);
    const run = await runDevice(paths);
    expect(run).toMatchObject({ outcome: 'provisioned', exitStatus: 0 });
    expect(await loginKeys(paths)).toEqual(KEYS[kind]);
    expect(await readFile(paths.thermalConfig, 'utf8')).not.toContain(OLD_TOKEN);
    expect(run.of('config.login')).toMatchObject([
      { level: 'warn', message: expect.stringMatching(/only access tokens/) },
    ]);
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
    expect(simulator.registry.counts).toMatchObject({ provisionRequests: 1, refusedConnects: 0 });
  });

  test.each(FAULTS)('the first request is %s: one device', async (_what, action, requests) => {
    const { simulator, paths } = await loginScene(kind, { faults: [{ on: 'request', nth: 1, ...action }] });
    expect((await runDevice(paths)).outcome).toBe('provisioned');
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
    expect(simulator.registry.counts.provisionRequests).toBe(requests);
  });

  test.each(ACTIVE_STATES.filter((state) => state !== 'restore'))(
    'interrupted in %s, the next start resumes with the same credentials, and ends with one device',
    async (state) => {
      const { simulator, paths } = await loginScene(kind, WAY_TO[state]);
      const { runId } = await cutIn(paths, state);
      expect(await runDevice(paths)).toMatchObject({ outcome: 'provisioned', runId });
      expect(await provisionedProblems(paths, simulator)).toEqual([]);
    },
  );

  test('a configuration with them gets a token again, and none of their keys stays', async () => {
    const { simulator, paths } = await loginScene(kind);
    await runDevice(paths);
    await putTrigger(paths);
    const text = await readFile(paths.provisionJson, 'utf8');
    await put(paths.provisionJson, text.replace(`"${kind}"`, '"access_token"'));
    expect((await runDevice(paths)).outcome).toBe('provisioned');
    expect(await loginKeys(paths)).toEqual(KEYS.access_token);
    expect(await provisionedProblems(paths, simulator, 2)).toEqual([]);
  });

  test('no secret of them is in the log or in a file of the state folder', async () => {
    const { paths } = await loginScene(kind);
    const { text } = await runDevice(paths);
    const section = await thingsboardSection(paths);
    const secrets =
      kind === 'x509'
        ? (await readFile(join(paths.deviceFolder, String(section.client_key_file)), 'utf8')).split('\n').slice(1, -2)
        : [String(section.username), String(section.password)];
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(10);
      expect(text).not.toContain(secret);
      for (const name of await readdir(paths.stateFolder)) {
        expect(await readFile(join(paths.stateFolder, name), 'latin1'), name).not.toContain(secret);
      }
    }
  });
});

describe('an own certificate', () => {
  test('is self-signed for the device name, with a P-256 key that only the owner can read', async () => {
    const { paths } = await loginScene('x509');
    const { deviceName } = await runDevice(paths);
    const [cert = '', key = ''] = await clientFiles(paths);
    const certificate = new X509Certificate(await readFile(join(paths.deviceFolder, cert)));
    expect(certificate.subject).toBe(`CN=${deviceName}`);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    for (const name of [cert, key]) expect((await stat(join(paths.deviceFolder, name))).mode & 0o777, name).toBe(0o600);
    const { client_cert_file, client_key_file } = await thingsboardSection(paths);
    expect([client_cert_file, client_key_file]).toEqual([cert, key]);
  });

  test('needs TLS: without it the run ends before any request', async () => {
    const { simulator, paths } = await scene({}, { device: { credentials: 'x509' } });
    expect(await runDevice(paths)).toMatchObject({ outcome: 'failed', failure: { code: 'PROVISION_JSON_INVALID' } });
    expect(simulator.registry.counts.connects).toBe(0);
  });

  test('leaves no half-written file of a run that was killed and given up', async () => {
    const { paths } = await loginScene('x509');
    for (const name of ['client_key-00c0ffee.pem.tmp', 'client_key-00c0ffee.pem', 'client_key.pem']) {
      await put(join(paths.deviceFolder, name), 'a private key', 0o600);
    }
    await runDevice(paths);
    const left = await clientFiles(paths);
    expect(left).toHaveLength(3);
    expect(left).toContain('client_key.pem');
    expect(left.join()).not.toContain('00c0ffee');
  });

  test('keeps its files as long as a backup names them, and no longer', async () => {
    const { paths } = await loginScene('x509');
    await runDevice(paths);
    const first = await clientFiles(paths);
    await putTrigger(paths);
    await runDevice(paths, { keepBackups: 1 });
    const both = await clientFiles(paths);
    expect(both).toHaveLength(4);
    expect(both).toEqual(expect.arrayContaining(first));
    await putTrigger(paths);
    const run = await runDevice(paths, { keepBackups: 1 });
    const left = await clientFiles(paths);
    expect(left).toHaveLength(4);
    expect(left).not.toEqual(expect.arrayContaining(first));
    expect(run.of('certificate.pruned')).toMatchObject([{ details: { removed: first } }]);
  });

  test('is registered by ThingsBoard before 3.5, which closes connections with an unknown one', async () => {
    const { simulator, paths } = await loginScene('x509', { legacyCertificates: true });
    expect((await runDevice(paths)).outcome).toBe('provisioned');
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
    expect(simulator.registry.counts.provisionRequests).toBe(1);
  });
});
