import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { fleetDevice, layOutFleet } from '../../../bench/fleet/deviceFolders.ts';
import { loginProblems, registryProblems } from '../../../bench/fleet/fleetCheck.ts';
import { digestOf } from '../../../bench/fleet/tokenDigest.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { makeFolder } from '../../support/deviceFolder.ts';
import { startServer } from '../../support/server.ts';

const SERVER = {
  host: '127.0.0.1',
  port: 1,
  useSsl: false,
  caFile: undefined,
  deviceKey: 'key',
  deviceSecret: 'secret',
};

/** Folders of devices with these names and tokens. */
async function fleetOf(atEnd: AtEnd, ...devices: readonly (readonly [string, string])[]) {
  const root = await makeFolder(atEnd);
  await layOutFleet(root, devices.length, { server: SERVER, namePrefix: 'camera' });
  const paths = (index: number) => fleetDevice(root, index);
  for (const [index, [device_id, access_token]] of devices.entries()) {
    await writeFile(paths(index).thermalConfig, JSON.stringify({ thingsboard: { device_id, access_token } }));
  }
  return { paths, all: [...devices.keys()] };
}

const onServer = (...devices: readonly (readonly [string, string])[]) => ({
  devices: devices.map(([name, token]) => ({ name, token: digestOf(token) })),
  counts: {},
  namesTaken: 0,
  cpuSeconds: 0,
  peakBytes: 0,
});

it('finds no problem in a fleet whose devices are on the server once each', async ({ onTestFinished }) => {
  const { paths, all } = await fleetOf(onTestFinished, ['a', '1'], ['b', '2']);
  expect(await registryProblems(paths, all, onServer(['a', '1'], ['b', '2']))).toEqual([]);
});

it('finds an unused device, an unknown device, a wrong token, and two folders with the same device', async ({
  onTestFinished,
}) => {
  const { paths, all } = await fleetOf(onTestFinished, ['a', '1'], ['b', '2'], ['c', '3'], ['a', '1']);
  const problems = await registryProblems(paths, all, onServer(['a', '1'], ['b', 'other'], ['extra', '9']));
  expect(problems).toEqual(
    expect.arrayContaining([
      'no camera uses the device extra on the server',
      'device 1: b has another token on the server',
      'device 2: the server has no c',
      expect.stringMatching(/^the devices \d and \d share name or token$/),
    ]),
  );
});

it('logs in with each device when the server is not the simulator', async ({ onTestFinished }) => {
  const server = await startServer(onTestFinished, {
    devices: [{ name: 'a', credentials: { type: 'ACCESS_TOKEN', token: '1' } }],
  });
  const { paths, all } = await fleetOf(onTestFinished, ['a', '1'], ['b', '2']);
  const endpoint = { host: '127.0.0.1', port: server.port, useSsl: false };
  expect(await loginProblems(paths, all, endpoint)).toEqual(["device 1: b can't log in: refused"]);
});
