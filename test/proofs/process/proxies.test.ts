/** The shipped program behind proxies: provisioning and normal operation, settings and environment, doctor. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { makeDeviceFolder } from '../../support/deviceFolder.ts';
import { AUTHORITY, certificateFor } from '../../support/provocation.ts';
import { startConnectProxy, startSocksProxy } from '../../support/proxies.ts';
import { expectNoSecrets } from '../../support/runChecks.ts';
import { assertNoSecrets } from '../../support/secretSearch.ts';
import { startServer } from '../../support/server.ts';

const NAME = 'tb.example';
const NAMES = { names: { [NAME]: '127.0.0.1' } };
const LOGIN = 'camera:proxy-password-1';
const CONFIG = {
  thingsboard: { host: 'old.example', port: 1, access_token: 'old', device_id: 'old' },
  telemetry: { interval_seconds: 1, measurement_spots: [{ id: 1, name: 'S', x: 1, y: 1, min_temp: 20, max_temp: 80 }] },
};

/** A server with TLS behind a name that only the proxies resolve, and a device for it. */
async function tlsDevice(atEnd: AtEnd, provisioning: object = {}) {
  const server = await startServer(atEnd, { tls: await certificateFor({ names: [NAME], ips: [] }) });
  const { paths } = await makeDeviceFolder(atEnd, {
    port: server.port,
    config: JSON.stringify(CONFIG),
    provisioning: { host: NAME, use_ssl: true, ca_file: 'ca.pem', timeout_seconds: 5, ...provisioning },
  });
  await writeFile(join(paths.deviceFolder, 'ca.pem'), AUTHORITY.cert);
  return { server, paths };
}

describe('start', () => {
  test('provisions and publishes through the proxy of provision.json, also after the proxy was away', async ({
    onTestFinished: atEnd,
  }) => {
    const first = await startConnectProxy(atEnd, { ...NAMES, login: LOGIN });
    const { server, paths } = await tlsDevice(atEnd, { proxy: `http://${LOGIN}@127.0.0.1:${first.port}` });
    const agent = startAgent(atEnd, paths.deviceFolder, { command: ['start'], limitMs: 40_000 });
    const { deviceName } = await agent.logged('run.provisioned');
    const { message } = await agent.logged('session.connected');
    expect(message).toContain(`${NAME}:${server.port} (through the proxy http://127.0.0.1:${first.port})`);
    const published = (): number => server.registry.telemetry(String(deviceName)).length;
    await expect.poll(published).toBeGreaterThanOrEqual(1);

    await first.kill();
    const away = `No connection to the proxy http://127.0.0.1:${first.port}: nothing listens on that port`;
    let printed = '';
    agent.child.stderr?.on('data', (chunk: Buffer) => {
      printed += String(chunk);
    });
    await expect.poll(() => printed, { timeout: 10_000 }).toContain(away);
    expect(printed).toContain('"code":"PROXY_UNREACHABLE"');
    const config = await readFile(paths.thermalConfig, 'utf8');
    const second = await startSocksProxy(atEnd, { ...NAMES, login: LOGIN });
    await writeFile(
      paths.thermalConfig,
      config.replace(/"http:[^"]*"/, `"socks5h://${LOGIN}@127.0.0.1:${second.port}"`),
    );
    const before = published();
    await expect.poll(published, { timeout: 15_000 }).toBeGreaterThan(before);
    agent.child.kill('SIGTERM');
    const end = await agent.ended;
    expect(end.status).toBe(0);
    expect(second.targets.length).toBeGreaterThan(0);
    await expectNoSecrets(paths, [end], [server]);
    await assertNoSecrets(paths.deviceFolder, end.output, ['proxy-password-1', LOGIN]);
  });

  test('takes the proxy of its own environment', async ({ onTestFinished: atEnd }) => {
    const proxy = await startSocksProxy(atEnd, NAMES);
    const { server, paths } = await tlsDevice(atEnd);
    const env = { ALL_PROXY: `socks5h://127.0.0.1:${proxy.port}` };
    expect((await runAgentProcess(atEnd, paths.deviceFolder, { env })).status).toBe(0);
    const used = proxy.targets.length;
    const agent = startAgent(atEnd, paths.deviceFolder, { command: ['start', '--no-provision'], env });
    await agent.logged('session.connected');
    agent.child.kill('SIGTERM');
    expect((await agent.ended).status).toBe(0);
    expect(proxy.targets.slice(used)).toEqual([`${NAME}:${server.port}`]);
  });

  test('says which variable it can not use, and tries again', async ({ onTestFinished: atEnd }) => {
    const { paths } = await tlsDevice(atEnd);
    const env = { https_proxy: 'http://user:hidden-word@proxy.example:port' };
    const agent = startAgent(atEnd, paths.deviceFolder, { command: ['start', '--no-provision'], env });
    expect(await agent.logged('session.lost')).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('variable https_proxy'),
    });
    agent.child.kill('SIGTERM');
    expect((await agent.ended).output).not.toContain('hidden-word');
  });
});

describe('doctor', () => {
  const doctor = async (atEnd: AtEnd, folder: string, env: Readonly<Record<string, string>> = {}) =>
    runAgentProcess(atEnd, folder, { command: ['doctor', '--plan'], env });

  test('shows the way and who named it, and does not ask the DNS of this device', async ({ onTestFinished: atEnd }) => {
    const proxy = await startConnectProxy(atEnd, { ...NAMES, login: LOGIN });
    const { server, paths } = await tlsDevice(atEnd, { proxy: `http://${LOGIN}@127.0.0.1:${proxy.port}` });
    const end = await doctor(atEnd, paths.deviceFolder);
    expect(end.status).toBe(0);
    const shown = `http://127.0.0.1:${proxy.port}`;
    expect(end.output).toContain(`✓ proxy                ${shown}, named by provisioning.proxy in provision.json\n`);
    expect(end.output).toContain(`– name resolution      not needed: the proxy resolves ${NAME}\n`);
    expect(end.output).toMatch(
      new RegExp(`✓ TCP connection       ${NAME}:${server.port} accepts connections \\(through ${shown}, \\d+ ms\\)`),
    );
    expect(end.output).toMatch(/✓ TLS {18}TLSv1\.3, certificate of/);
    expect(end.output).toContain('✓ provisioning key');
    // The plan has the key, not the login.
    expect(end.output).toMatch(/^\+.*"proxy":"\[masked \d+\]"/m);
    await assertNoSecrets(paths.deviceFolder, end.output, ['proxy-password-1']);
  });

  test('warns that the environment of this shell names the proxy, or an exception from it', async ({
    onTestFinished: atEnd,
  }) => {
    const proxy = await startConnectProxy(atEnd, NAMES);
    const { paths } = await tlsDevice(atEnd);
    const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
    const through = await doctor(atEnd, paths.deviceFolder, env);
    expect(through.output).toContain('named by the environment variable HTTPS_PROXY\n');
    expect(through.output).toContain(
      '!                      the way depends on the environment variables of this shell\n',
    );
    expect(through.status).toBe(0);
    const direct = await doctor(atEnd, paths.deviceFolder, { ...env, NO_PROXY: NAME });
    expect(direct.output).toContain(
      `✓ proxy                none: no_proxy excepts ${NAME} from the proxy of HTTPS_PROXY\n`,
    );
    expect(direct.output).toContain('✗ name resolution      HOST_NOT_FOUND');
  });
});
