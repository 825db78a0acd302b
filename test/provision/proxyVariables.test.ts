import { readFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { externalSettings } from '../../src/config/provision/externalSettings.ts';
import type { DevicePaths } from '../../src/device/paths.ts';
import { type AgentRun, deviceFolderFor, runDevice, serverOfTest } from '../support/agentRun.ts';
import { expectProvisioned, NAME, startProxy } from '../support/proxyScene.ts';

describe('the proxy of the environment', () => {
  const run = async (paths: DevicePaths, env: Record<string, string>): Promise<AgentRun> => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    return runDevice(paths, { externalSettings: externalSettings(process.env) });
  };
  const device = (port: number, more: object = {}) => deviceFolderFor(port, { provisioning: { host: NAME, ...more } });

  it.each(['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'])('is used: %s', async (variable) => {
    const server = await serverOfTest();
    const proxy = await startProxy('http');
    const paths = await device(server.port);
    await expectProvisioned(await run(paths, { [variable]: `127.0.0.1:${proxy.port}/` }), server, paths);
    expect(proxy.targets).toHaveLength(2);
    // `start` has an environment of its own.
    expect(JSON.parse(await readFile(paths.thermalConfig, 'utf8')).thingsboard).not.toHaveProperty('proxy');
  });

  it('gives https_proxy before all_proxy', async () => {
    const server = await serverOfTest();
    const proxy = await startProxy('socks5h');
    const env = { https_proxy: `socks5h://127.0.0.1:${proxy.port}`, all_proxy: 'http://127.0.0.1:1' };
    expect((await run(await device(server.port), env)).outcome).toBe('provisioned');
  });

  it.each([{}, { no_proxy: '*' }])('gives way to provisioning.proxy, with %o', async (more) => {
    const server = await serverOfTest();
    const proxy = await startProxy('http');
    const paths = await device(server.port, { proxy: `http://127.0.0.1:${proxy.port}` });
    const env = { https_proxy: 'http://127.0.0.1:1', ...more };
    await expectProvisioned(await run(paths, env), server, paths);
  });

  it.each(['localhost', '.example,localhost', '*', 'LOCALHOST'])(
    'is not used for a host in no_proxy: %s',
    async (list) => {
      const server = await serverOfTest();
      const paths = await device(server.port, { host: 'localhost' });
      expect((await run(paths, { https_proxy: 'http://127.0.0.1:1', no_proxy: list })).outcome).toBe('provisioned');
    },
  );

  it.each(['socks4://proxy:1080', 'http://user:secret-word@proxy:port', 'https://proxy'])(
    'is a problem if the agent can not use it: %s',
    async (url) => {
      const result = await run(await device(1883), { https_proxy: url });
      expect(result.failure?.code).toBe('PROVISION_JSON_INVALID');
      expect(result.failure?.message).toMatch(/\n- https_proxy: found .*, expected http:\/\/HOST:PORT/);
      expect(result.text).not.toContain('secret-word');
    },
  );

  it('is named in a failure', async () => {
    const result = await run(await device(1883), { all_proxy: 'http://127.0.0.1:1' });
    expect(result.failure?.hint).toContain('Check the environment variable all_proxy, and the network');
  });
});
