import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { parseProvisionJson } from '../../src/config/provision/provisionJson.ts';
import { type DevicePaths, devicePaths } from '../../src/device/paths.ts';
import { EXIT } from '../../src/failures/exit.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { cutIn, runDevice } from '../support/agentRun.ts';
import { OLD_CONFIG, OLD_TOKEN, provisionJsonText, putTrigger } from '../support/deviceFiles.ts';
import { type Property, type PropertyCheck, propertyOf } from '../support/property.ts';
import { configuredDevice } from '../support/provisionedDevice.ts';
import { assertNoSecrets } from '../support/secretSearch.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../support/server.ts';
import { spoilDocument, spoiling } from '../support/spoiledJson.ts';

/** Where the run was killed that left the state folder. */
const CUT_IN = ['reconcile', 'request', 'verifyCredentials', 'write', 'finalize'] as const;
const FILES = ['provisionJson', 'thermalConfig', 'snapshot', 'credentials'] as const;

const folder = fc.record({
  cutIn: fc.constantFrom(...CUT_IN),
  spoilt: fc.constantFrom(...FILES),
  spoiling,
  alsoSpoilt: fc.option(fc.record({ file: fc.constantFrom(...FILES), spoiling }), { freq: 2 }),
  requested: fc.integer({ min: 0, max: 7 }).map((draw) => draw !== 0),
});
type FolderCase = typeof folder extends fc.Arbitrary<infer T> ? T : never;

type Contents = ReadonlyMap<(typeof FILES)[number], Buffer>;

const pathOf = (paths: DevicePaths, file: (typeof FILES)[number]): string => paths[file];

/** The files that a real run leaves when it is killed in a state. */
async function leftBehind(scratch: string, port: number, state: (typeof CUT_IN)[number]): Promise<Contents> {
  const paths = devicePaths(join(scratch, state));
  await layOut(
    paths,
    new Map([
      ['provisionJson', Buffer.from(provisionJson(port))],
      ['thermalConfig', Buffer.from(OLD_CONFIG)],
    ]),
  );
  await putTrigger(paths);
  await cutIn(paths, state);
  const contents = new Map<(typeof FILES)[number], Buffer>();
  for (const file of FILES) contents.set(file, await readFile(pathOf(paths, file)));
  return contents;
}

const provisionJson = (port: number): string =>
  provisionJsonText({
    port,
    provisioning: { device_key: DEVICE_KEY, device_secret: DEVICE_SECRET, timeout_seconds: 1, max_retries: 2 },
    device: { type: 'thermal-camera' },
  });

async function layOut(paths: DevicePaths, contents: Contents): Promise<void> {
  await mkdir(paths.stateFolder, { recursive: true, mode: 0o700 });
  for (const [file, bytes] of contents) await writeFile(pathOf(paths, file), bytes, { mode: 0o600 });
}

function spoilContents(contents: Contents, { spoilt, spoiling: how, alsoSpoilt }: FolderCase): Contents {
  const result = new Map(contents);
  const both = [{ file: spoilt, spoiling: how }, ...(alsoSpoilt === null ? [] : [alsoSpoilt])];
  for (const { file, spoiling: one } of both) {
    const bytes = contents.get(file);
    if (bytes !== undefined) result.set(file, spoilDocument(bytes, one));
  }
  return result;
}

/** Whether provision.json still names the server of the property, or none. */
function staysHere(bytes: Buffer | undefined, port: number): boolean {
  try {
    const { settings } = parseProvisionJson(bytes ?? Buffer.alloc(0));
    return settings.host === '127.0.0.1' && settings.port === port && !settings.useSsl;
  } catch {
    return true;
  }
}

const tokensIn = (bytes: Buffer | undefined): string[] =>
  [...(bytes ?? Buffer.alloc(0)).toString('utf8').matchAll(/"token": "([A-Za-z0-9]{20})"/g)].flatMap(
    ([, token]) => token ?? [],
  );

/** Earlier problems of the file may remain: the agent does not change them and warns. */
async function expectOldOrProven(
  paths: DevicePaths,
  before: Buffer | undefined,
  { registry }: Simulator,
): Promise<void> {
  if (before?.equals(await readFile(paths.thermalConfig)) === true) return;
  const { deviceId, token } = await configuredDevice(paths);
  const registered = registry.devices().find(({ name }) => name === deviceId);
  expect(registered?.token === token, 'the token is that of the device').toBe(true);
}

async function begin(): Promise<PropertyCheck<FolderCase>> {
  const scratch = await mkdtemp(join(tmpdir(), 'thermal-property-'));
  // The first run is killed in reconcile.
  const faults = [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }] as const;
  const server = await startSimulator({ deviceKey: DEVICE_KEY, deviceSecret: DEVICE_SECRET, faults });
  const kept = new Map<string, Contents>();
  for (const state of CUT_IN) kept.set(state, await leftBehind(scratch, server.port, state));
  const registered = server.registry.devices();
  const ends = new Map<string, number>();
  let cases = 0;
  return {
    async check(given) {
      const contents = spoilContents(kept.get(given.cutIn) ?? new Map(), given);
      if (!staysHere(contents.get('provisionJson'), server.port)) return;
      cases += 1;
      const paths = devicePaths(join(scratch, `case-${cases}`));
      await layOut(paths, contents);
      if (given.requested) await putTrigger(paths);
      const run = await runDevice(paths);
      ends.set(run.outcome, (ends.get(run.outcome) ?? 0) + 1);
      expect(Object.values<number>(EXIT)).toContain(run.exitStatus);
      expect(run.failure?.code, run.failure?.message).not.toBe('INTERNAL');
      await expectOldOrProven(paths, contents.get('thermalConfig'), server);
      const issued = server.registry.devices().flatMap(({ token }) => token ?? []);
      const secrets = [DEVICE_KEY, DEVICE_SECRET, OLD_TOKEN, ...issued, ...tokensIn(contents.get('credentials'))];
      await assertNoSecrets(paths.deviceFolder, run.text, [...new Set(secrets)]);
      await rm(paths.deviceFolder, { recursive: true });
      for (const { name } of server.registry.devices()) server.registry.deleteDevice(name);
      for (const device of registered) server.registry.addDevice(device);
    },
    finish: () => expect([...ends.keys()]).toEqual(expect.arrayContaining(['provisioned', 'failed'])),
    async close() {
      await server.close();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

export const anyFolderProperty: Property = propertyOf(
  'a start: with any files it ends with a documented status, and the configuration is old or proven',
  60,
  folder,
  begin,
);
