/**
 * Makes the missing fixtures with the current sources, one for every active state. Run it at the release of a version
 * with a new snapshot format or a new state; `npm run build` is not needed: node scripts/makeFixtures.mjs
 */
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ACTIVE_STATES, type ActiveState } from '../../../../machines/provision.states.ts';
import { devicePaths } from '../../../../src/device/paths.ts';
import type { Fault } from '../../../../src/simulator/faults.ts';
import { startSimulator } from '../../../../src/simulator/simulator.ts';
import { SNAPSHOT_VERSION } from '../../../../src/state/snapshotDocument.ts';
import { readSnapshot } from '../../../../src/state/snapshotFile.ts';
import { OLD_CONFIG, provisionJsonText, putTrigger } from '../../../support/deviceFiles.ts';
import { useLastingTemporaryFolder } from '../../../support/lastingFolder.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../../../support/server.ts';
import { buildChildProgram, type ChildProgram } from '../childProgram.ts';
import { DIGEST, FIXTURES, FOLDER, HOST, INODE, keepFolder, MTIME_NS, PORT } from './fixture.ts';

const LIMIT_MS = 30_000;
/** Faults that lead to states outside a successful run. */
const DETOURS: { readonly [State in ActiveState]?: readonly Fault[] } = {
  backoff: [{ on: 'provisionConnect', nth: 1, action: 'close' }],
  reconcile: [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }],
};

async function keepState(program: ChildProgram, scratch: string, state: ActiveState): Promise<void> {
  const target = join(FIXTURES, `v${SNAPSHOT_VERSION}`, state);
  const kept = await stat(target).catch(() => undefined);
  // Fixtures of a released version must not change.
  if (kept !== undefined) return console.log(`${target} exists already`);
  const registryFile = join(scratch, `${state}-server`, 'server.json');
  const paths = devicePaths(join(scratch, state));
  await mkdir(paths.deviceFolder);
  await mkdir(join(registryFile, '..'));
  const faults = DETOURS[state] ?? [];
  const server = await startSimulator({ deviceKey: DEVICE_KEY, deviceSecret: DEVICE_SECRET, registryFile, faults });
  const provisioning = { device_key: DEVICE_KEY, device_secret: DEVICE_SECRET, host: HOST, timeout_seconds: 5 };
  await writeFile(paths.provisionJson, provisionJsonText({ port: server.port, provisioning }));
  await writeFile(paths.thermalConfig, OLD_CONFIG);
  await putTrigger(paths);
  const { output } = await program.run([paths.deviceFolder, state], LIMIT_MS);
  await server.close();
  const read = await readSnapshot(paths.snapshot);
  if (read.kind !== 'snapshot' || read.snapshot.state !== state) throw new Error(`no snapshot of ${state}: ${output}`);

  const { trigger, settings } = read.snapshot.context;
  const replaced = new Map([
    [paths.deviceFolder, FOLDER],
    [String(server.port), PORT],
    [settings?.digest ?? DIGEST, DIGEST],
    [`"inode": "${trigger?.inode}"`, `"inode": "${INODE}"`],
    [`"mtimeNs": "${trigger?.mtimeNs}"`, `"mtimeNs": "${MTIME_NS}"`],
  ]);
  await keepFolder(paths.deviceFolder, join(target, 'device'), replaced);
  await keepFolder(join(registryFile, '..'), target, new Map());
  const text = await readFile(paths.snapshot, 'utf8');
  console.log(`kept ${target}: ${text.length} bytes of snapshot, ${server.registry.size} devices on the server`);
}

await useLastingTemporaryFolder();
const scratch = await mkdtemp(join(tmpdir(), 'thermal-fixtures-'));
const program = await buildChildProgram('interrupt-in', 'test/proofs/certify/upgrade/interruptIn.ts');
try {
  for (const state of ACTIVE_STATES) await keepState(program, scratch, state);
} finally {
  await program.remove();
  await rm(scratch, { recursive: true, force: true });
}
