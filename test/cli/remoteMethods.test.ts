/** What a camera answers to the server's requests, and what it does then, on real files. */

import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { remoteMethods } from '../../src/cli/start/remoteMethods.ts';
import { answerRequest } from '../../src/client/rpc/answerRequest.ts';
import type { RpcResult } from '../../src/client/rpc/methods.ts';
import { acquireLock } from '../../src/device/lock.ts';
import { type DevicePaths, devicePaths } from '../../src/device/paths.ts';
import { statusSchema } from '../../src/status/deviceStatus.ts';
import { recordingLog } from '../client/testBroker.ts';
import { asOrdinaryUser } from '../config/scratch.ts';
import { runDevice, scene } from '../support/agentRun.ts';
import { boardSecret } from '../support/boardSecret.ts';
import { OLD_DEVICE, OLD_TOKEN, putTrigger } from '../support/deviceFiles.ts';
import { type DeviceFolderOptions, makeDeviceFolder } from '../support/deviceFolder.ts';
import { folderInRam } from '../support/folderInRam.ts';
import { interruptedRun } from '../support/interruptedRun.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../support/server.ts';

async function camera(options: Partial<DeviceFolderOptions> = {}, allowed = true) {
  const { paths } = await makeDeviceFolder(onTestFinished, { port: 1883, requested: false, ...options });
  const log = recordingLog();
  const { provisioningStatus, reprovision } = remoteMethods({ paths, log, allowed });
  if (provisioningStatus === undefined || reprovision === undefined) throw new Error('a method is missing');
  return { paths, log, provisioningStatus, reprovision };
}

const isRequested = async ({ provisionTxt }: DevicePaths): Promise<boolean> =>
  await stat(provisionTxt).then(
    () => true,
    () => false,
  );

/** Checks that a refusal says why and what to do, and asks for no end. */
function expectRefusal({ answer, refusal, ends }: RpcResult, expected: object): void {
  expect(ends).toBeUndefined();
  expect(JSON.parse(answer)).toEqual({ error: refusal });
  expect(refusal).toMatchObject({
    message: expect.stringMatching(/\w/),
    hint: expect.stringMatching(/\w/),
    ...expected,
  });
  for (const secret of [DEVICE_KEY, DEVICE_SECRET, OLD_TOKEN]) expect(answer).not.toContain(secret);
}

describe('provisioningStatus', () => {
  it('answers the document of status --format json, without a secret', async () => {
    const { provisioningStatus } = await camera({}, false);
    const { answer, ends } = await provisioningStatus();
    expect(statusSchema.parse(JSON.parse(answer))).toMatchObject({
      status: 'not started',
      configuredDevice: OLD_DEVICE,
    });
    expect(ends).toBeUndefined();
    for (const secret of [DEVICE_KEY, DEVICE_SECRET, OLD_TOKEN]) expect(answer).not.toContain(secret);
  });
});

describe('reprovision', () => {
  it('creates provision.txt, ends normal operation and says that there will be a new device', async () => {
    const { paths, log, reprovision } = await camera();
    const { answer, ends } = await reprovision();
    expect(ends).toBe(true);
    expect(await readFile(paths.provisionTxt, 'utf8')).toBe('');
    expect(JSON.parse(answer)).toMatchObject({
      reprovision: 'requested',
      formerDevice: OLD_DEVICE,
      message: expect.stringContaining('new device with a new random name'),
    });
    expect(log.of('rpc.reprovision')).toMatchObject([{ level: 'warn', details: { deviceName: OLD_DEVICE } }]);
    expect((await readdir(paths.deviceFolder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('says that a fixed name must be free', async () => {
    const { reprovision } = await camera({ device: { name: 'hall-7' } });
    expect((await reprovision()).answer).toContain('the server refuses it while another device has that name');
  });

  it('requests one run, however often the server asks', async () => {
    const { reprovision } = await camera();
    const results = await Promise.all([reprovision(), reprovision(), reprovision()]);
    expect(results.filter(({ ends }) => ends === true)).toHaveLength(1);
    expectRefusal(await reprovision(), { message: expect.stringContaining('provision.txt is there already') });
  });

  it('is refused without --allow-rpc', async () => {
    const { paths, reprovision } = await camera({}, false);
    expectRefusal(await reprovision(), { reason: 'not allowed', hint: expect.stringContaining('--allow-rpc') });
    expect(await isRequested(paths)).toBe(false);
  });

  const obstacles: readonly [string, object, (paths: DevicePaths) => Promise<unknown>][] = [
    ['a run was requested before', { message: expect.stringContaining('there already') }, putTrigger],
    [
      'provision.json is missing',
      { code: 'PROVISION_JSON_MISSING', hint: expect.stringContaining('key and secret') },
      ({ provisionJson }) => rm(provisionJson),
    ],
    [
      'the secret was removed from provision.json',
      { code: 'PROVISION_JSON_INVALID', hint: expect.stringContaining('key and secret') },
      async ({ provisionJson }) => {
        const { provisioning } = JSON.parse(await readFile(provisionJson, 'utf8'));
        const { device_secret: _removed, ...left } = provisioning;
        await writeFile(provisionJson, JSON.stringify({ provisioning: left }));
      },
    ],
    [
      'the CA file is missing',
      { code: 'CA_FILE_UNUSABLE' },
      async ({ provisionJson }) => {
        const { provisioning } = JSON.parse(await readFile(provisionJson, 'utf8'));
        const withTls = { ...provisioning, use_ssl: true, ca_file: 'ca.pem' };
        await writeFile(provisionJson, JSON.stringify({ provisioning: withTls }));
      },
    ],
    [
      'the snapshot is damaged',
      { code: 'SNAPSHOT_DAMAGED' },
      async ({ stateFolder, snapshot }) => {
        await mkdir(stateFolder, { mode: 0o700 });
        await writeFile(snapshot, '{');
      },
    ],
    [
      'an agent is running',
      { message: expect.stringContaining('An agent is running') },
      async ({ stateFolder, deviceFolder }) => {
        await mkdir(stateFolder, { mode: 0o700 });
        const lock = await acquireLock(deviceFolder, stateFolder);
        onTestFinished(() => lock.release());
      },
    ],
  ];

  it.each(obstacles)('is refused while %s', async (_, expected, prepare) => {
    const { paths, reprovision } = await camera();
    await prepare(paths);
    const before = await isRequested(paths);
    expectRefusal(await reprovision(), { reason: 'not possible', ...expected });
    expect(await isRequested(paths)).toBe(before);
  });

  it('is refused where a reboot loses the files, unless provision.json allows it', async () => {
    const folder = await folderInRam(onTestFinished);
    const { paths, reprovision } = await camera();
    const text = await readFile(paths.provisionJson, 'utf8');
    const inRam = devicePaths(folder);
    const ask = remoteMethods({ paths: inRam, log: recordingLog(), allowed: true }).reprovision ?? reprovision;
    await writeFile(inRam.provisionJson, text);
    expectRefusal(await ask(), { code: 'VOLATILE_STORAGE' });
    const { provisioning } = JSON.parse(text);
    await writeFile(
      inRam.provisionJson,
      JSON.stringify({ provisioning: { ...provisioning, allow_volatile_storage: true } }),
    );
    expect((await ask()).ends).toBe(true);
  });

  it('is possible where a reboot loses the files if a board secret brings the device back: a renewal', async () => {
    const { paths: origin } = await camera();
    const { provisioning } = JSON.parse(await readFile(origin.provisionJson, 'utf8'));
    const inRam = devicePaths(await folderInRam(onTestFinished));
    const { reprovision } = remoteMethods({ paths: inRam, log: recordingLog(), allowed: true });
    if (reprovision === undefined) throw new Error('the method is missing');
    const give = (file: string): Promise<void> =>
      writeFile(
        inRam.provisionJson,
        JSON.stringify({ provisioning: { ...provisioning, board_secret_file: file }, device: { name: 'hall-7' } }),
      );
    await give('/absent');
    expectRefusal(await reprovision(), { code: 'BOARD_SECRET_UNUSABLE' });
    await give(await boardSecret(onTestFinished));
    const { answer, ends } = await reprovision();
    expect(ends).toBe(true);
    expect(answer).toContain('uses this device again and renews its configuration');
    expect(answer).not.toContain('Delete it there');
  });

  it('knows a board secret of the agent alone by the last run', async () => {
    const { simulator } = await scene({}, {}, onTestFinished);
    const device = { name: 'hall-7' };
    const { paths, reprovision } = await camera({ port: simulator.port, device, requested: true });
    const boardSecretFile = await boardSecret(onTestFinished);
    expect((await runDevice(paths, { externalSettings: { boardSecretFile } })).outcome).toBe('provisioned');
    expect((await reprovision()).answer).toContain('uses this device again');
  });

  it('is refused in a folder that the client may not write to', async () => {
    const { paths, reprovision } = await camera();
    await chmod(paths.deviceFolder, 0o555);
    expectRefusal(await asOrdinaryUser(() => answerRequest({ reprovision }, 'reprovision')), {
      code: 'FILE_NOT_PERMITTED',
    });
  });

  it('is refused after a run that was interrupted', async () => {
    const { paths, reprovision } = await interruptedRun(onTestFinished).then(async (run) => {
      const { reprovision } = remoteMethods({ paths: run.paths, log: recordingLog(), allowed: true });
      return { ...run, reprovision };
    });
    await rm(paths.provisionTxt);
    if (reprovision === undefined) throw new Error('the method is missing');
    expectRefusal(await reprovision(), { message: 'The last run is not finished' });
  });
});
