import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { FailureCode } from '../../../src/failures/catalogue.ts';
import { runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { OLD_CONFIG } from '../../support/deviceFiles.ts';
import { type DeviceFolder, makeDeviceFolder } from '../../support/deviceFolder.ts';
import { expectFailed, expectProvisioned } from '../../support/runChecks.ts';
import { DEVICE_KEY, DEVICE_SECRET, startServer } from '../../support/server.ts';
import { giveToUnprivileged, unprivileged } from '../../support/unprivileged.ts';

interface BadInput {
  readonly name: string;
  readonly code: FailureCode;
  readonly says?: RegExp;
  /** Makes the invalid provision.json. The valid file has been removed. */
  readonly put: (path: string, good: string) => unknown;
}

const text = (name: string, content: string | Uint8Array, says: RegExp): BadInput => ({
  name,
  code: 'PROVISION_JSON_INVALID',
  says,
  put: (path) => writeFile(path, content),
});

const WRONG_TYPES = {
  provisioning: { device_key: 5, device_secret: '', host: 'mqtt://x', port: '1883', use_ssl: 'no', timeout_seconds: 0 },
  device: { name: 'white space' },
};
const ALL_WRONG = /device_key.*device_secret.*host.*port.*use_ssl.*timeout_seconds.*device\.name/s;

const BAD: readonly BadInput[] = [
  { name: 'missing', code: 'PROVISION_JSON_MISSING', put: () => {} },
  { name: 'a link to nowhere', code: 'PROVISION_JSON_MISSING', put: (path) => symlink('/nowhere/at/all', path) },
  { name: 'a folder', code: 'PROVISION_JSON_UNREADABLE', put: (path) => mkdir(path) },
  { name: 'a pipe', code: 'PROVISION_JSON_UNREADABLE', put: (path) => execFileSync('mkfifo', [path]) },
  {
    name: 'unreadable',
    code: 'PROVISION_JSON_UNREADABLE',
    put: async (path, good) => {
      await writeFile(path, good);
      await chmod(path, 0);
    },
  },
  text('empty', '', /is empty/),
  text('binary', Buffer.concat([Buffer.from('{"'), randomBytes(500), Buffer.from([0xff, 0])]), /UTF-8|binary/),
  text('10 MB', `{"a":"${'x'.repeat(10_000_000)}"}`, /larger than/),
  text('nested 10,000 levels deep', `${'{"a":'.repeat(10_000)}1`, /deeper than/),
  text('null', 'null', /holds null/),
  text('a list', '[]', /a list/),
  text('truncated', '{"provisioning": {"device_key": "', /a text without its closing quote at line 1, column 33/),
  text('with wrong types', JSON.stringify(WRONG_TYPES), ALL_WRONG),
  text('all nulls', '{"provisioning":{"device_key":null,"device_secret":null,"host":null}}', /found null/),
  {
    name: 'with duplicate keys',
    code: 'PROVISION_JSON_INVALID',
    says: /more than once|twice|duplicate/i,
    put: (path, good) => writeFile(path, good.replace('"host"', '"host":"other.example","host"')),
  },
  {
    name: 'with two spellings that differ',
    code: 'PROVISION_JSON_INVALID',
    says: /server_port/,
    put: (path, good) => writeFile(path, good.replace('{', '{"server_port":7,')),
  },
  {
    name: 'with a missing CA file',
    code: 'CA_FILE_UNUSABLE',
    put: (path, good) => writeFile(path, good.replace('"host"', '"use_ssl":true,"ca_file":"none.pem","host"')),
  },
];

async function run(device: DeviceFolder, onTestFinished: AtEnd) {
  await giveToUnprivileged(device.paths.deviceFolder);
  return runAgentProcess(onTestFinished, device.paths.deviceFolder, { user: unprivileged });
}

describe.concurrent('FR-002, FR-003, SC-004, P2.3: an unusable provision.json', () => {
  it.for(BAD)(
    '$name: $code, nothing is changed, no request is sent; repaired, the next boot completes',
    async (bad, { onTestFinished }) => {
      const server = await startServer(onTestFinished);
      const device = await makeDeviceFolder(onTestFinished, { port: server.port });
      const { provisionJson } = device.paths;
      await rm(provisionJson);
      await bad.put(provisionJson, device.provisionJson);
      const end = await run(device, onTestFinished);
      await expectFailed(device, end, {
        code: bad.code,
        server,
        ...(bad.says === undefined ? {} : { says: bad.says }),
      });
      expect(end.output).toContain(bad.code === 'CA_FILE_UNUSABLE' ? 'none.pem' : provisionJson);
      expect(server.registry.counts.connects).toBe(0);

      await rm(provisionJson, { recursive: true, force: true });
      await writeFile(provisionJson, device.provisionJson);
      await expectProvisioned(device.paths, await run(device, onTestFinished), server);
    },
  );

  it('P2.3: start reports it and uses the present configuration', async ({ onTestFinished, expect }) => {
    const server = await startServer(onTestFinished, {
      devices: [{ name: 'cam-1', credentials: { type: 'ACCESS_TOKEN', token: 'token-of-the-old-device' } }],
    });
    const config = OLD_CONFIG.replace('old.example', '127.0.0.1').replace('"port": 1883', `"port": ${server.port}`);
    const device = await makeDeviceFolder(onTestFinished, { port: server.port, config });
    await writeFile(device.paths.provisionJson, '{');
    const agent = startAgent(onTestFinished, device.paths.deviceFolder, { command: ['start'] });
    const failed = await agent.logged('run.failed');
    expect(failed.code).toBe('PROVISION_JSON_INVALID');
    await agent.logged('start.existing');
    await expect.poll(() => server.registry.counts.deviceConnects).toBe(1);
    agent.child.kill('SIGTERM');
    expect((await agent.ended).status).toBe(0);
    expect(server.registry.counts.provisionRequests).toBe(0);
  });
});

describe.concurrent('FR-002: variants of provision.json in the field', () => {
  it.for([
    { name: 'with a byte-order mark and white space at the end', change: (good: string) => `\uFEFF${good}\r\n \n` },
    { name: 'with an unknown key', change: (good: string) => good.replace('{', '{"spare":1,') },
    {
      name: 'in the flat form',
      change: (good: string) =>
        JSON.stringify({
          server_url: '127.0.0.1',
          server_port: JSON.parse(good).provisioning.port,
          provision_device_key: DEVICE_KEY,
          provision_device_secret: DEVICE_SECRET,
        }),
    },
  ])('$name: accepted', async ({ change }, { onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const device = await makeDeviceFolder(onTestFinished, { port: server.port });
    await writeFile(device.paths.provisionJson, change(device.provisionJson));
    await expectProvisioned(device.paths, await run(device, onTestFinished), server);
  });
});
