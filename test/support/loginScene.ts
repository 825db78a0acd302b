import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CredentialsKind } from '../../src/device/candidate.ts';
import type { SimulatorOptions } from '../../src/simulator/simulator.ts';
import { deviceFolderFor, type Scene, serverOfTest } from './agentRun.ts';
import type { DeviceFolderOptions } from './deviceFolder.ts';

/** `device.credentials` of provision.json that are not the default. */
export const OTHER_KINDS = ['mqtt_basic', 'x509'] as const;

type Given = Partial<Omit<DeviceFolderOptions, 'port'>>;

/** A simulated server with TLS, and a device folder with a request for this kind of credentials. */
export async function loginScene(
  kind: CredentialsKind,
  server: SimulatorOptions = {},
  files: Given = {},
): Promise<Scene> {
  const simulator = await serverOfTest({ tls: 'generated', ...server });
  const paths = await deviceFolderFor(simulator.port, {
    ...files,
    provisioning: { use_ssl: true, ca_file: 'ca.pem', timeout_seconds: 3, ...files.provisioning },
    device: { credentials: kind, ...files.device },
  });
  await writeFile(join(paths.deviceFolder, 'ca.pem'), simulator.caPem ?? '');
  return { simulator, paths };
}
