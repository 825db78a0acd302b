import { mkdir, readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readProvisionJson } from '../../src/config/provision/provisionJson.ts';
import { settingsDigest } from '../../src/config/provision/settingsDigest.ts';
import type { DevicePaths } from '../../src/device/paths.ts';
import { silentLog } from '../../src/log/log.ts';
import { readCredentials } from '../../src/state/credentials.ts';
import { SNAPSHOT_VERSION } from '../../src/state/snapshotDocument.ts';
import { readSnapshot } from '../../src/state/snapshotFile.ts';
import { put } from '../config/scratch.ts';
import { runDevice, scene } from '../support/agentRun.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';

const FIXTURES = new URL('./fixtures/', import.meta.url);
/** Placeholders in the fixtures for values that each test sets: port of the server, digest of the settings. */
const PORT = /\b1883\b/g;
const DIGEST = /d16e57d16e57d16e/g;

/** Every released version of the state files. A new version adds its files and keeps the old ones. */
const VERSIONS = Array.from({ length: SNAPSHOT_VERSION }, (_, index) => index + 1);

/** Copies the files of an interrupted run of that version to a device. */
async function layOut(version: number, paths: DevicePaths, port: number): Promise<void> {
  const digest = settingsDigest((await readProvisionJson(paths.provisionJson)).settings);
  await mkdir(paths.stateFolder, { mode: 0o700 });
  for (const [name, path] of [
    ['snapshot', paths.snapshot],
    ['credentials', paths.credentials],
  ] as const) {
    const text = await readFile(new URL(`${name}-v${version}.json`, FIXTURES), 'utf8');
    await put(path, text.replaceAll(PORT, String(port)).replaceAll(DIGEST, digest), 0o600);
  }
}

it('there are state files of every version', async () => {
  const names = VERSIONS.flatMap((version) => [`credentials-v${version}.json`, `snapshot-v${version}.json`]);
  expect((await readdir(FIXTURES)).sort()).toEqual(names.sort());
});

describe.each(VERSIONS)('state files of version %i', (version) => {
  it('can be read', async () => {
    const { simulator, paths } = await scene();
    await layOut(version, paths, simulator.port);
    expect(await readSnapshot(paths.snapshot)).toMatchObject({ kind: 'snapshot', snapshot: { state: 'backoff' } });
    expect((await readCredentials(paths.credentials, silentLog, 0))?.candidates).toHaveLength(1);
  });

  it('are resumed: same run, same name, one device', async () => {
    const { simulator, paths } = await scene();
    await layOut(version, paths, simulator.port);
    const before = await readSnapshot(paths.snapshot);
    if (before.kind !== 'snapshot') throw new Error("the fixture can't be read");
    const { runId, context } = before.snapshot;
    const run = await runDevice(paths);
    expect(run).toMatchObject({ outcome: 'provisioned', runId, deviceName: context.deviceName });
    expect(run.of('run.resumed')).toMatchObject([{ details: { from: 'backoff' } }]);
    // That run may have sent a request, so the agent probes for its device before it sends the next one.
    expect(run.states.slice(0, 3)).toEqual(['backoff', 'reconcile', 'request']);
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
  });
});
