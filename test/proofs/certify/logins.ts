/** The kinds of device credentials that the suites with faults provision, with what each needs on device and server. */

import { createHash, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type IssuedCertificate, issueAuthority, issueCertificate } from '../../../src/simulator/certificate.ts';
import { BOARD_SECRET } from '../../support/boardSecret.ts';
import { OLD_CONFIG, OLD_DEVICE, OLD_TOKEN } from '../../support/deviceFiles.ts';
import { secretLines } from '../../support/storedLogin.ts';

/** X.509 is tried over TLS, the others without. */
export type LoginKind = 'access token' | 'MQTT_BASIC' | 'X.509' | 'derived token';

/** What all trials of a suite share. */
export interface LoginSupplies {
  readonly server: IssuedCertificate;
  readonly caPem: string;
  /** Path of the board secret, outside every device folder. */
  readonly boardSecretFile: string;
  /** An earlier camera with a certificate: its files, by name, and its configuration. */
  readonly oldFiles: Readonly<Record<string, string>>;
  readonly oldConfig: string;
  readonly oldKey: string;
}

/** A device name for the kind that needs one that never changes. */
export const FIXED_NAME = 'hall-7';

export const CA_FILE = 'ca.pem';

/** Names of the files of a key and its certificate. @param certificate PEM */
export function clientFileNames(certificate: string): readonly [key: string, certificate: string] {
  const fingerprint = createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex').slice(0, 8);
  return [`client_key-${fingerprint}.pem`, `client_cert-${fingerprint}.pem`];
}

/** @param scratch the suite's folder */
export async function prepareLogins(scratch: string): Promise<LoginSupplies> {
  const ca = await issueAuthority();
  const server = await issueCertificate({ names: ['localhost'], ips: ['127.0.0.1'], ca });
  const old = await issueCertificate({ names: [OLD_DEVICE] });
  const [keyFile, certFile] = clientFileNames(old.cert);
  const boardSecretFile = join(scratch, 'board-secret');
  await writeFile(boardSecretFile, BOARD_SECRET, { mode: 0o600 });
  return {
    server,
    caPem: ca.cert,
    boardSecretFile,
    oldFiles: { [certFile]: old.cert, [keyFile]: old.key },
    oldConfig: OLD_CONFIG.replace(
      `"access_token": "${OLD_TOKEN}"`,
      `"client_cert_file": "${certFile}", "client_key_file": "${keyFile}"`,
    ).replace('"use_ssl": false', '"use_ssl": true'),
    oldKey: old.key,
  };
}

/** A kind of credentials in a suite. */
export interface LoginSetup {
  /** More keys of sections `provisioning` and `device`. */
  readonly provisioning: Readonly<Record<string, unknown>>;
  readonly device?: Readonly<Record<string, unknown>>;
  /** Of the server. */
  readonly tls?: IssuedCertificate;
  /** thermal_config.json of the camera before. */
  readonly oldConfig: string;
  readonly secrets: readonly string[];
  /** The other files that a run reads. */
  filesRead(deviceFolder: string): readonly string[];
  /** Writes the other files. @param old whether the files of the configuration before are needed */
  putFiles(deviceFolder: string, old: boolean): Promise<void>;
}

const PLAIN = { provisioning: {}, oldConfig: OLD_CONFIG, secrets: [], filesRead: () => [], putFiles: async () => {} };

export function setupOf(kind: LoginKind, supplies: LoginSupplies): LoginSetup {
  const { server, caPem, boardSecretFile, oldFiles, oldConfig, oldKey } = supplies;
  switch (kind) {
    case 'access token':
      return PLAIN;
    case 'MQTT_BASIC':
      return { ...PLAIN, device: { credentials: 'mqtt_basic' } };
    case 'derived token':
      return {
        ...PLAIN,
        provisioning: { board_secret_file: boardSecretFile },
        device: { name: FIXED_NAME },
        secrets: [BOARD_SECRET],
        filesRead: () => [boardSecretFile],
      };
    case 'X.509':
      return {
        provisioning: { use_ssl: true, ca_file: CA_FILE },
        device: { credentials: 'x509' },
        tls: server,
        oldConfig,
        secrets: secretLines(oldKey),
        filesRead: (deviceFolder) => [join(deviceFolder, CA_FILE)],
        async putFiles(deviceFolder, old) {
          for (const [name, text] of Object.entries({ [CA_FILE]: caPem, ...(old ? oldFiles : {}) })) {
            await writeFile(join(deviceFolder, name), text, { mode: 0o600 });
          }
        },
      };
  }
}
