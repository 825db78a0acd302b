import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runAgentProcess } from '../../support/agentProcess.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import { expectFailed, expectProvisioned } from '../../support/runChecks.ts';
import { DEVICE_KEY, DEVICE_SECRET, startServer } from '../../support/server.ts';

/** A device whose provision.json has the server, but no key. */
async function keyless(atEnd: AtEnd, provisioning: Record<string, unknown> = {}) {
  const server = await startServer(atEnd);
  const none = { device_key: undefined, device_secret: undefined };
  const device = await makeDeviceFolder(atEnd, { port: server.port, provisioning: { ...none, ...provisioning } });
  return { server, device, paths: device.paths };
}

const GIVEN = { THERMAL_DEVICE_KEY: DEVICE_KEY, THERMAL_DEVICE_SECRET: DEVICE_SECRET };

describe.concurrent('secrets from external settings', () => {
  it('key and secret from environment variables', async ({ onTestFinished }) => {
    const { server, paths } = await keyless(onTestFinished);
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { env: GIVEN });
    await expectProvisioned(paths, end, server);
  });

  it('from files, interrupted, and resumed with variables: the same run resumes', async ({ onTestFinished }) => {
    const { server, paths } = await keyless(onTestFinished);
    const folder = await makeFolder(onTestFinished);
    await writeFile(join(folder, 'key'), `${DEVICE_KEY}\n`);
    await writeFile(join(folder, 'secret'), `${DEVICE_SECRET}\n`);
    const act = { do: 'signal', signal: 'SIGKILL' } as const;
    const cut = await runAgentProcess(onTestFinished, paths.deviceFolder, {
      env: { THERMAL_DEVICE_KEY_FILE: join(folder, 'key'), THERMAL_DEVICE_SECRET_FILE: join(folder, 'secret') },
      intrusions: [{ call: 'rename', path: '/thermal_config.json', act }],
    });
    expect(cut.signal).toBe('SIGKILL');
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { env: GIVEN });
    expect(end.log[0]).toMatchObject({ event: 'run.resumed', runId: cut.log.at(-1)?.runId });
    await expectProvisioned(paths, end, server);
  });

  it('provision.json in $CREDENTIALS_DIRECTORY of systemd', async ({ onTestFinished }) => {
    const { server, paths } = await keyless(onTestFinished, { device_key: DEVICE_KEY, device_secret: DEVICE_SECRET });
    const credentials = join(await makeFolder(onTestFinished), 'credentials');
    await mkdir(credentials);
    await rename(paths.provisionJson, join(credentials, 'provision.json'));
    const env = { CREDENTIALS_DIRECTORY: credentials };
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { env });
    expect(end.log.find(({ event }) => event === 'validate.passed')).toMatchObject({
      provisionJson: join(credentials, 'provision.json'),
    });
    await expectProvisioned(paths, end, server);
  });

  it('reports all problems together, each with its source', async ({ onTestFinished }) => {
    const { server, device } = await keyless(onTestFinished, { max_retries: 99 });
    const env = { THERMAL_DEVICE_KEY_FILE: '/no/such/file', THERMAL_DEVICE_SECRET: 'x'.repeat(300) };
    const end = await runAgentProcess(onTestFinished, device.paths.deviceFolder, { env });
    await expectFailed(device, end, { code: 'PROVISION_JSON_INVALID', says: /has 3 problems/ });
    const message = end.log.at(-1)?.message ?? '';
    for (const from of [
      'provisioning.max_retries',
      'THERMAL_DEVICE_KEY_FILE (/no/such/file)',
      'THERMAL_DEVICE_SECRET:',
    ])
      expect(message).toContain(from);
    expect(server.registry.counts.connects).toBe(0);
  });

  it('doctor uses them, and status does not report them as missing', async ({ onTestFinished }) => {
    const { paths } = await keyless(onTestFinished);
    const run = (command: readonly string[], env: Record<string, string>) =>
      runAgentProcess(onTestFinished, paths.deviceFolder, { command, env });
    expect((await run(['doctor'], GIVEN)).status).toBe(0);
    expect((await run(['doctor'], {})).output).toContain('provisioning.device_key: found nothing');
    expect((await run(['status'], {})).output).not.toContain('device_key');
  });

  it('a program that reads temperatures does not get them', async ({ expect, onTestFinished }) => {
    const { paths } = await keyless(onTestFinished);
    const seen = join(await makeFolder(onTestFinished), 'environment');
    const script = join(paths.deviceFolder, 'read.sh');
    await writeFile(script, `env > ${seen}.new; mv ${seen}.new ${seen}; sleep 60\n`);
    const agent = runAgentProcess(onTestFinished, paths.deviceFolder, {
      command: ['start', '--no-provision', '--source', `command:/bin/sh ${script}`],
      env: { ...GIVEN, PATH: process.env.PATH ?? '', LANG: 'C.UTF-8' },
      limitMs: 3000,
    });
    agent.catch(() => {});
    await expect.poll(() => readFile(seen, 'utf8').catch(() => '')).toContain('LANG=C.UTF-8');
    expect(await readFile(seen, 'utf8')).not.toMatch(/THERMAL_DEVICE_(KEY|SECRET)/);
  });
});
