import { readFile, rm } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { DevicePaths } from '../../src/device/paths.ts';
import { startTcp } from '../client/testBroker.ts';
import { cutIn, deviceFolderFor, runDevice, scene } from '../support/agentRun.ts';
import { OLD_CONFIG } from '../support/deviceFiles.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';
import { startPlainBroker } from '../support/strangeServers.ts';

const unchanged = async ({ thermalConfig }: DevicePaths): Promise<boolean> =>
  (await readFile(thermalConfig, 'utf8')) === OLD_CONFIG;

test('a wrong key is permanent: one request, nothing changed', async () => {
  const { simulator, paths } = await scene({}, { provisioning: { device_secret: 'a-wrong-secret' } });
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 77, failure: { code: 'PROVISION_KEY_REFUSED' } });
  expect(simulator.registry.counts).toMatchObject({ provisionRequests: 1, notFound: 1 });
  expect(await unchanged(paths)).toBe(true);
});

test('a request that is acknowledged, but never answered, ends with a hint about both causes; no device is made', async () => {
  const faults = [{ on: 'request', action: 'silenceThenPubackAndClose', ms: 0 }] as const;
  const { simulator, paths } = await scene({ faults }, { provisioning: { max_retries: 1 } });
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 69, failure: { code: 'CONNECTION_LOST' } });
  expect(run.failure?.message).toContain('acknowledged the request (PUBACK), then closed');
  expect(run.failure?.hint).toMatch(/back end has failed .* X509_CERTIFICATE_CHAIN/);
  expect(simulator.registry.devices()).toEqual([]);
  expect(await unchanged(paths)).toBe(true);
});

test('credentials that are refused once are accepted a second later', async () => {
  const { simulator, paths } = await scene({ faults: [{ on: 'deviceConnect', nth: 1, action: 'refuse', code: 5 }] });
  const run = await runDevice(paths);
  expect(run.outcome).toBe('provisioned');
  expect(run.pauses).toEqual([1000]);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('credentials that are refused three times end the run, and the old configuration stays', async () => {
  const { simulator, paths } = await scene({ faults: [{ on: 'deviceConnect', action: 'refuse', code: 5 }] });
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 77, failure: { code: 'CREDENTIALS_REFUSED' } });
  expect(run.pauses).toEqual([1000, 2000]);
  expect(simulator.registry.counts.refusedConnects).toBe(3);
  expect(await unchanged(paths)).toBe(true);
});

test('credentials that are accepted without an answer count as proven if this run received SUCCESS', async () => {
  const { simulator, paths } = await scene({ faults: [{ on: 'attributeRequest', nth: 1, action: 'silence' }] });
  const run = await runDevice(paths);
  expect(run.outcome).toBe('provisioned');
  const warning = run.of('verify.unanswered').map(({ message }) => message);
  expect(warning).toHaveLength(1);
  const { context } = JSON.parse(await readFile(paths.snapshot, 'utf8'));
  expect(context).toMatchObject({ provenBy: 'connack', warnings: warning });
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('without that SUCCESS they are not: a reconciled device must answer', async () => {
  const { paths } = await scene(
    {
      faults: [
        { on: 'request', nth: 1, action: 'dropAnswerAndClose' },
        { on: 'attributeRequest', nth: 2, andLater: true, action: 'pubackOnly' },
      ],
    },
    { provisioning: { max_retries: 0 } },
  );
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 76, failure: { code: 'NOT_THINGSBOARD' } });
  expect(await unchanged(paths)).toBe(true);
});

test('a SUCCESS that an earlier run received is not enough, either: its token may be a stranger to this server', async () => {
  const { paths } = await scene(
    { faults: [{ on: 'attributeRequest', andLater: true, nth: 1, action: 'pubackOnly' }] },
    { provisioning: { max_retries: 0 } },
  );
  await cutIn(paths, 'verifyCredentials');
  await rm(paths.snapshot);
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 76, failure: { code: 'NOT_THINGSBOARD' } });
  expect(await unchanged(paths)).toBe(true);
});

test('a plain broker, which accepts every login, is not ThingsBoard', async () => {
  const port = await startPlainBroker(onTestFinished);
  const paths = await deviceFolderFor(port, { provisioning: { max_retries: 0 } });
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 76, failure: { code: 'NOT_THINGSBOARD' } });
  expect(await unchanged(paths)).toBe(true);
});

test('an absent server is tried four times, 1, 2 and 4 s apart; when it is back, one device', async () => {
  const { simulator, paths } = await scene();
  const json = await readFile(paths.provisionJson, 'utf8');
  const closed = await startTcp(() => {});
  await closed.close();
  const nobody = await deviceFolderFor(closed.port);
  const run = await runDevice(nobody);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 69, failure: { code: 'CONNECTION_REFUSED' } });
  expect(run.pauses).toEqual([1000, 2000, 4000]);
  expect(json).toContain(String(simulator.port));
});

test('a server that fails between retries is asked again, and progress resets the budget', async () => {
  const { simulator, paths } = await scene({
    faults: [
      { on: 'provisionConnect', nth: 1, action: 'refuse', code: 3 },
      { on: 'provisionConnect', nth: 2, action: 'close' },
      { on: 'deviceConnect', nth: 1, action: 'close' },
      { on: 'deviceConnect', nth: 2, action: 'refuse', code: 3 },
    ],
  });
  const run = await runDevice(paths);
  expect(run.outcome).toBe('provisioned');
  expect(run.pauses).toEqual([1000, 2000, 1000, 2000]);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});
