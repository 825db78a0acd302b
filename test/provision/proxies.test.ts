import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { issueAuthority } from '../../src/simulator/certificate.ts';
import { deviceFolderFor, runDevice, serverOfTest } from '../support/agentRun.ts';
import {
  deviceOf,
  expectProvisioned,
  failureOf,
  LOGIN,
  LOGIN_IN_URL,
  NAME,
  startProxy,
  textsOf,
  tlsScene,
} from '../support/proxyScene.ts';
import { watchEvents } from '../support/server.ts';

describe('a run through a proxy', () => {
  it.each(['http', 'socks5h'] as const)('provisions over TCP through %s, which resolves the name', async (scheme) => {
    const server = await serverOfTest();
    const proxy = await startProxy(scheme);
    const paths = await deviceOf(server.port, `${scheme}://127.0.0.1:${proxy.port}`);
    await expectProvisioned(await runDevice(paths), server, paths);
    expect(new Set(proxy.targets)).toEqual(new Set([`${NAME}:${server.port}`]));
  });

  it.each(['http', 'socks5h'] as const)('provisions over TLS through %s', async (scheme) => {
    const proxy = await startProxy(scheme, { login: LOGIN });
    const { server, paths } = await tlsScene(`${scheme}://${LOGIN_IN_URL}127.0.0.1:${proxy.port}`);
    await expectProvisioned(await runDevice(paths), server, paths);
    // The request, and the standby connection.
    expect(proxy.targets).toEqual([`${NAME}:${server.port}`, `${NAME}:${server.port}`]);
  });

  it('provisions a device with a certificate of its own, which only the server asks for', async () => {
    const proxy = await startProxy('http');
    const { server, paths } = await tlsScene(`http://127.0.0.1:${proxy.port}`);
    const settings = JSON.parse(await readFile(paths.provisionJson, 'utf8'));
    await writeFile(paths.provisionJson, JSON.stringify({ ...settings, device: { credentials: 'x509' } }));
    expect((await runDevice(paths)).failure).toBeNull();
    expect(server.registry.devices()).toMatchObject([{ credentialsType: 'X509_CERTIFICATE' }]);
    expect(proxy.targets.length).toBeGreaterThanOrEqual(2);
  });

  it('resolves the name itself for socks5', async () => {
    const server = await serverOfTest();
    const proxy = await startProxy('socks5');
    const url = `socks5://127.0.0.1:${proxy.port}`;
    const paths = await deviceOf(server.port, url, { host: 'localhost' });
    const run = await runDevice(paths);
    expect(run.outcome).toBe('provisioned');
    expect(proxy.targets[0]).toMatch(/^(127\.0\.0\.1|0:0:0:0:0:0:0:1):/);
  });

  it('names the server when its name is unknown to this device, which resolves it for socks5', async () => {
    const proxy = await startProxy('socks5');
    const paths = await deviceOf(1883, `socks5://127.0.0.1:${proxy.port}`, { host: 'tb.invalid' });
    const run = await runDevice(paths);
    expect(failureOf(run)).toMatchObject({
      code: 'HOST_NOT_FOUND',
      message: expect.stringContaining('tb.invalid:1883'),
    });
    expect(proxy.targets).toEqual([]);
  });

  it('sends an IPv6 address of the server in brackets', async () => {
    const server = await serverOfTest({ host: '::1' });
    const proxy = await startProxy('http');
    const paths = await deviceOf(server.port, `http://127.0.0.1:${proxy.port}`, { host: '::1' });
    expect((await runDevice(paths)).outcome).toBe('provisioned');
    expect(proxy.targets[0]).toBe(`[::1]:${server.port}`);
  });

  it('refuses the certificate of another server, as without a proxy', async () => {
    const proxy = await startProxy('http');
    const { paths } = await tlsScene(`http://127.0.0.1:${proxy.port}`);
    const other = await issueAuthority();
    await writeFile(join(paths.deviceFolder, 'ca.pem'), other.cert);
    const run = await runDevice(paths);
    expect(failureOf(run)).toMatchObject({
      code: 'TLS_UNKNOWN_CA',
      message: expect.stringContaining(`through the proxy http://127.0.0.1:${proxy.port}`),
    });
  });

  it('writes the proxy of provision.json into the configuration, and shows its password nowhere', async () => {
    const server = await serverOfTest();
    const proxy = await startProxy('http', { login: LOGIN });
    const url = `http://${LOGIN_IN_URL}127.0.0.1:${proxy.port}`;
    const paths = await deviceOf(server.port, url);
    const run = await runDevice(paths);
    await expectProvisioned(run, server, paths);
    expect(JSON.parse(await readFile(paths.thermalConfig, 'utf8')).thingsboard.proxy).toBe(url);
    expect(run.of('validate.passed')[0]?.details.proxy).toBe(`http://127.0.0.1:${proxy.port}`);
    expect(`${run.text}\n${await textsOf(paths)}`).not.toMatch(/p%40ss|p@ss|Y2FtZXJh/);
  });

  it('removes the proxy of an earlier configuration if provision.json names none', async () => {
    const server = await serverOfTest();
    const config = { thingsboard: { host: 'old', proxy: 'http://old:1', access_token: 't', device_id: 'd' } };
    const paths = await deviceFolderFor(server.port, { config: JSON.stringify({ ...config, telemetry: {} }) });
    expect((await runDevice(paths)).outcome).toBe('provisioned');
    expect(JSON.parse(await readFile(paths.thermalConfig, 'utf8')).thingsboard).not.toHaveProperty('proxy');
  });

  it('resumes with another proxy, and makes no second device', async () => {
    const watch = watchEvents();
    const server = await serverOfTest({ onEvent: watch.onEvent });
    const proxy = await startProxy('http');
    watch.when('commit', () => void proxy.kill());
    const paths = await deviceOf(server.port, `http://127.0.0.1:${proxy.port}`, { max_retries: 1 });
    const first = await runDevice(paths);
    expect(failureOf(first).code).toBe('PROXY_UNREACHABLE');
    const next = await startProxy('socks5h');
    const text = await readFile(paths.provisionJson, 'utf8');
    await writeFile(
      paths.provisionJson,
      text.replace(`http://127.0.0.1:${proxy.port}`, `socks5h://127.0.0.1:${next.port}`),
    );
    const second = await runDevice(paths);
    await expectProvisioned(second, server, paths);
  });
});
