import { chmod, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { DevicePaths } from '../../../src/device/paths.ts';
import { readDeviceFiles } from '../../../src/status/deviceFiles.ts';
import { makeStatus } from '../../../src/status/makeStatus.ts';
import { runAgentProcess } from '../../support/agentProcess.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { type DeviceFolder, makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import type { Intrusion } from '../../support/intrusion.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { expectFailed, expectProvisioned } from '../../support/runChecks.ts';
import { DEVICE_KEY, DEVICE_SECRET, startServer } from '../../support/server.ts';

const KEY = JSON.stringify(DEVICE_KEY);
const SECRET = JSON.stringify(DEVICE_SECRET);

const textOf = ({ provisionJson }: DevicePaths): Promise<string> => readFile(provisionJson, 'utf8');

async function scrubbing(atEnd: AtEnd, given: Record<string, unknown> = {}) {
  const server = await startServer(atEnd);
  const device: DeviceFolder = await makeDeviceFolder(atEnd, {
    port: server.port,
    provisioning: { scrub: true, ...given },
  });
  return { server, device, paths: device.paths };
}

describe.concurrent('provisioning.scrub', () => {
  it('off by default: provision.json stays as it is', async ({ onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths, provisionJson } = await makeDeviceFolder(onTestFinished, { port: server.port });
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
    expect(await textOf(paths)).toBe(provisionJson);
  });

  it('removes only the secret after the device is provisioned; mode and layout stay', async ({ onTestFinished }) => {
    const { server, paths } = await scrubbing(onTestFinished);
    const lines = [
      '\uFEFF{',
      '\t"provisioning": {',
      `\t\t"device_key": ${KEY},`,
      `\t\t"device_secret": ${SECRET},`,
      `\t\t"host": "127.0.0.1", "port": ${server.port}, "scrub": true`,
      '\t},',
      '\t"note": "12345678901234567890123"',
      '}',
      '',
    ];
    await writeFile(paths.provisionJson, lines.join('\r\n'));
    await chmod(paths.provisionJson, 0o640);
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    expect(await provisionedProblems(paths, server)).toEqual([]);
    expect(end.log.map(({ event }) => event)).toContain('secret.removed');
    expect(await textOf(paths)).toBe(lines.filter((line) => !line.includes('device_secret')).join('\r\n'));
    expect((await stat(paths.provisionJson)).mode & 0o777).toBe(0o640);
  });

  it('after a failure the secret is still there', async ({ onTestFinished }) => {
    const { server, device } = await scrubbing(onTestFinished, { device_key: 'another-key' });
    const end = await runAgentProcess(onTestFinished, device.paths.deviceFolder);
    await expectFailed(device, end, { code: 'PROVISION_KEY_REFUSED', server });
    expect(await textOf(device.paths)).toBe(device.provisionJson);
  });

  it.for<{ name: string; at: Omit<Intrusion, 'act'>; gone: boolean }>([
    { name: 'before the new text is durable', at: { call: 'sync', path: '/provision.json.tmp' }, gone: false },
    { name: 'right before it replaces the old one', at: { call: 'rename', path: '/provision.json' }, gone: false },
    { name: 'right after', at: { call: 'rename', path: '/provision.json', after: true }, gone: true },
    { name: 'at the last step', at: { call: 'unlink', path: '/credentials.json' }, gone: true },
  ])('killed $name: the next start ends without the secret, with one device', async (trial, { onTestFinished }) => {
    const { server, paths } = await scrubbing(onTestFinished);
    const intrusions = [{ ...trial.at, act: { do: 'signal', signal: 'SIGKILL' } as const }];
    const cut = await runAgentProcess(onTestFinished, paths.deviceFolder, { intrusions });
    expect(cut.signal).toBe('SIGKILL');
    const left = await textOf(paths);
    expect(left.includes(SECRET)).toBe(!trial.gone);
    expect(() => JSON.parse(left)).not.toThrow();
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    expect(end.status).toBe(0);
    expect(await textOf(paths)).not.toContain('device_secret');
    expect(await textOf(paths)).toContain(KEY);
    expect(await provisionedProblems(paths, server)).toEqual([]);
  });

  it('a new provision.txt during the run needs the secret, which is removed at the end of the next run', async ({
    onTestFinished,
  }) => {
    const { server, paths } = await scrubbing(onTestFinished);
    const act = { do: 'write', path: paths.provisionTxt, text: 'again' } as const;
    const intrusions = [{ call: 'rename', path: '/provision.txt.processed', after: true, act } as const];
    await runAgentProcess(onTestFinished, paths.deviceFolder, { intrusions });
    expect(await textOf(paths)).toContain(SECRET);
    expect((await runAgentProcess(onTestFinished, paths.deviceFolder)).status).toBe(0);
    expect(await textOf(paths)).not.toContain('device_secret');
    expect(server.registry.devices()).toHaveLength(2);
  });

  it('a provision.json that was replaced by one for another server keeps its secret', async ({ onTestFinished }) => {
    const { paths, device } = await scrubbing(onTestFinished);
    const other = device.provisionJson.replace('127.0.0.1', 'other.example');
    const act = { do: 'write', path: paths.provisionJson, text: other } as const;
    const intrusions = [{ call: 'rename', path: '/provision.txt.processed', after: true, act } as const];
    expect((await runAgentProcess(onTestFinished, paths.deviceFolder, { intrusions })).status).toBe(0);
    expect(await textOf(paths)).toBe(other);
  });

  it('a read-only disk: a warning, and the device is still provisioned', async ({ onTestFinished }) => {
    const { server, paths, device } = await scrubbing(onTestFinished);
    const act = { do: 'fail', errno: 'EROFS' } as const;
    const intrusions = [{ call: 'rename', path: '/provision.json', act } as const];
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { intrusions });
    await expectProvisioned(paths, end, server);
    expect(end.log.find(({ event }) => event === 'secret.left')).toMatchObject({ level: 'warn' });
    expect(await textOf(paths)).toBe(device.provisionJson);
    const statusNow = async () => makeStatus(await readDeviceFiles(paths));
    expect(await statusNow()).toMatchObject({ status: 'degraded', exitStatus: 2, errors: [{ code: 'SECRET_LEFT' }] });
    await rm(paths.provisionJson);
    expect(await statusNow()).toMatchObject({ status: 'done', errors: [] });
  });

  it("a file that can't be scrubbed is reported before the request", async ({ onTestFinished }) => {
    const { server, device, paths } = await scrubbing(onTestFinished);
    const elsewhere = `${await makeFolder(onTestFinished)}/provision.json`;
    await rename(paths.provisionJson, elsewhere);
    await symlink(elsewhere, paths.provisionJson);
    const hint = /Remove provisioning\.scrub from it/;
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    await expectFailed(device, end, {
      code: 'PROVISION_JSON_INVALID',
      hint,
      says: /provisioning\.scrub, but is a link/,
    });
    expect(server.registry.counts.connects).toBe(0);
  });
});
