/** The failures that are cheap to provoke. Their messages must not contain a secret. */

import { chmod, mkdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { MAX_CONFIG_BYTES } from '../../../../src/config/thermal/thermalConfig.ts';
import { acquireLock } from '../../../../src/device/lock.ts';
import { FAILURES, type FailureCode } from '../../../../src/failures/catalogue.ts';
import { EXIT } from '../../../../src/failures/exit.ts';
import { type CertificateRequest, issueAuthority, issueCertificate } from '../../../../src/simulator/certificate.ts';
import type { Fault } from '../../../../src/simulator/faults.ts';
import type { SimulatorOptions } from '../../../../src/simulator/simulator.ts';
import { provisionJsonText } from '../../../support/deviceFiles.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../../../support/server.ts';
import type { Scene, SceneOptions } from './scene.ts';
import type { SecretTrial } from './secretTrial.ts';

const ends = (code: FailureCode): SecretTrial['expected'] => ({ status: FAILURES[code].exitStatus, code });

/** Provokes the failure by a change in the folder or at the server. */
const afterChange = (
  code: FailureCode,
  before: (scene: Scene) => Promise<unknown>,
  scene: SceneOptions = {},
): SecretTrial => ({
  name: code,
  scene,
  before: async (given) => {
    await before(given);
    return undefined;
  },
  expected: ends(code),
});

const faulty = (code: FailureCode, faults: readonly Fault[], more: SceneOptions = {}): SecretTrial => ({
  name: code,
  scene: { ...more, server: { faults, ...more.server }, provisioning: { timeout_seconds: 1, ...more.provisioning } },
  expected: ends(code),
});

const overTls = (code: FailureCode, server: SimulatorOptions, provisioning: Readonly<Record<string, unknown>> = {}) =>
  afterChange(code, () => Promise.resolve(), {
    server,
    provisioning: { use_ssl: true, timeout_seconds: 2, ...provisioning },
  });

const DAY_MS = 86_400_000;
const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);

/** A server with an invalid certificate of the CA that the device trusts. */
async function withCertificate(code: FailureCode, request: CertificateRequest): Promise<SecretTrial> {
  const ca = await issueAuthority({ notBefore: inDays(-900), notAfter: inDays(900) });
  const tls = await issueCertificate({ ...request, ca });
  return afterChange(code, ({ paths }) => writeFile(`${paths.deviceFolder}/ca.pem`, ca.cert), {
    server: { tls },
    provisioning: { use_ssl: true, ca_file: 'ca.pem', timeout_seconds: 2 },
  });
}

/** A provision.json with secrets in the wrong places. */
const misplaced = JSON.stringify({
  provisioning: {
    device_key: DEVICE_KEY,
    device_secret: [DEVICE_SECRET],
    host: `mqtt://${DEVICE_SECRET}@host`,
    port: DEVICE_SECRET,
    use_ssl: DEVICE_KEY,
    ca_file: 7,
    timeout_seconds: DEVICE_SECRET,
    device_sekret: DEVICE_SECRET,
  },
  device: { name: DEVICE_SECRET, credentials: DEVICE_KEY, name_source: DEVICE_SECRET },
});

const newer = (format: string, secrets: object = {}): string => JSON.stringify({ format, version: 99, ...secrets });

async function writeState({ paths }: Scene, path: string, text: string): Promise<void> {
  await mkdir(paths.stateFolder, { mode: 0o700 });
  await writeFile(path, text, { mode: 0o600 });
}

const inFiles: readonly SecretTrial[] = [
  afterChange('PROVISION_JSON_MISSING', ({ paths }) => rm(paths.provisionJson)),
  afterChange('PROVISION_JSON_INVALID', ({ paths }) => writeFile(paths.provisionJson, misplaced)),
  {
    ...afterChange('PROVISION_JSON_INVALID', async ({ paths, server }) => {
      const provisioning = { device_key: DEVICE_KEY, device_secret: DEVICE_SECRET };
      await writeFile(paths.provisionJson, provisionJsonText({ port: server.port, provisioning }).slice(0, -3));
    }),
    name: 'PROVISION_JSON_INVALID, truncated',
  },
  afterChange('PROVISION_JSON_UNREADABLE', async ({ paths }) => {
    await rm(paths.provisionJson);
    await mkdir(paths.provisionJson);
  }),
  afterChange('CA_FILE_UNUSABLE', () => Promise.resolve(), {
    provisioning: { use_ssl: true, ca_file: 'provision.json' },
  }),
  afterChange('CONFIG_UNREADABLE', async ({ paths }) => {
    await rename(paths.thermalConfig, `${paths.deviceFolder}/thermal_config.json.moved`);
    await mkdir(paths.thermalConfig);
  }),
  afterChange('CONFIG_TOO_LARGE', ({ paths }) => truncate(paths.thermalConfig, MAX_CONFIG_BYTES + 1)),
  afterChange('CONFIG_READ_ONLY', ({ paths }) => chmod(paths.thermalConfig, 0o400)),
  afterChange('SNAPSHOT_NEWER', (scene) =>
    writeState(scene, scene.paths.snapshot, newer('thermal-provision-snapshot')),
  ),
  afterChange('CREDENTIALS_NEWER', (scene) =>
    writeState(scene, scene.paths.credentials, newer('thermal-provision-credentials', { token: DEVICE_SECRET })),
  ),
  {
    name: 'LOCKED',
    async before({ paths }) {
      await mkdir(paths.stateFolder, { mode: 0o700 });
      const lock = await acquireLock(paths.stateFolder);
      return () => lock.release();
    },
    expected: ends('LOCKED'),
  },
];

/** Another service on the server's port. */
const webServerInstead = (code: FailureCode, provisioning: Readonly<Record<string, unknown>> = {}): SecretTrial => ({
  name: code,
  scene: { provisioning },
  async before({ server }) {
    await server.close();
    const web = createServer((_request, response) => response.end('<html></html>'));
    web.on('clientError', (_error, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => web.listen(server.port, '127.0.0.1', resolve));
    return async () => void web.close();
  },
  expected: ends(code),
});

const onTheNetwork: readonly SecretTrial[] = [
  afterChange('CONNECTION_REFUSED', ({ server }) => server.close()),
  faulty('CONNECTION_LOST', [{ on: 'provisionConnect', action: 'close' }]),
  faulty('ANSWER_TIMEOUT', [{ on: 'request', action: 'silence' }]),
  faulty('SERVER_UNAVAILABLE', [{ on: 'provisionConnect', action: 'refuse', code: 3 }]),
  faulty('CONNECTION_NOT_ACCEPTED', [{ on: 'provisionConnect', action: 'refuse', code: 5 }]),
  faulty('NOT_THINGSBOARD', [
    { on: 'request', action: 'dropAnswerAndClose' },
    { on: 'attributeRequest', action: 'silence' },
  ]),
  webServerInstead('NOT_MQTT'),
  overTls('TLS_UNKNOWN_CA', { tls: 'generated' }),
  webServerInstead('TLS_FAILED', { use_ssl: true }),
  await withCertificate('TLS_WRONG_HOST', { names: ['other.example'] }),
  await withCertificate('TLS_EXPIRED', { ips: ['127.0.0.1'], notBefore: inDays(-9), notAfter: inDays(-1) }),
  await withCertificate('TLS_NOT_YET_VALID', { ips: ['127.0.0.1'], notBefore: inDays(1), notAfter: inDays(9) }),
];

const answer = (payload: unknown): Fault => ({ on: 'request', action: 'answer', payload: JSON.stringify(payload) });

const byTheServer: readonly SecretTrial[] = [
  afterChange('PROVISION_KEY_REFUSED', () => Promise.resolve(), { server: { deviceSecret: 'another' } }),
  faulty('DEVICE_NAME_TAKEN', [], {
    server: { devices: [{ name: 'cam-1' }] },
    device: { name: 'cam-1' },
  }),
  faulty('CREDENTIALS_TYPE_UNSUPPORTED', [
    answer({
      credentialsValue: { clientId: DEVICE_KEY, userName: 'u', password: DEVICE_SECRET },
      credentialsType: 'LWM2M_CREDENTIALS',
      status: 'SUCCESS',
    }),
  ]),
  faulty('CREDENTIALS_REFUSED', [{ on: 'deviceConnect', action: 'refuse', code: 5 }]),
];

const inArguments: readonly SecretTrial[] = [
  {
    name: 'DEVICE_FOLDER_MISSING',
    start: ({ paths }) => ({ args: ['run', '--dir', `${paths.deviceFolder}/missing`, '--log-format', 'json'] }),
    expected: ends('DEVICE_FOLDER_MISSING'),
  },
  {
    name: 'USAGE',
    start: ({ paths }) => ({ args: ['run', '--dir', paths.deviceFolder, '--no-such-option'] }),
    expected: { status: EXIT.USAGE, code: null },
  },
];

export const secretFailures: readonly SecretTrial[] = [...inFiles, ...onTheNetwork, ...byTheServer, ...inArguments];
