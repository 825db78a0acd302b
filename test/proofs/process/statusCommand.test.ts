import { chmod, cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { readSnapshot } from '../../../src/state/snapshotFile.ts';
import { statusSchema } from '../../../src/status/deviceStatus.ts';
import { type AgentOptions, runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import { interruptedRun } from '../../support/interruptedRun.ts';
import { assertNoSecrets } from '../../support/secretSearch.ts';
import { DEVICE_SECRET, startServer } from '../../support/server.ts';
import { closedPort } from '../../support/strangeServers.ts';
import { giveToUnprivileged, unprivileged } from '../../support/unprivileged.ts';

const ask = async (
  atEnd: AtEnd,
  folder: string,
  command: readonly string[] = ['status'],
  options: AgentOptions = {},
) => {
  const { output, status } = await runAgentProcess(atEnd, folder, { ...options, command });
  return { output, status };
};

describe.concurrent('status', () => {
  it('of a folder that does not exist is an error', async ({ expect, onTestFinished }) => {
    const { output, status } = await ask(onTestFinished, '/nonexistent');
    expect(output).toMatch(/^status: error\nerror: {11}DEVICE_FOLDER_MISSING: .*\/nonexistent/);
    expect(status).toBe(1);
  });

  it('of an empty folder says how to start', async ({ expect, onTestFinished }) => {
    const { output, status } = await ask(onTestFinished, await makeFolder(onTestFinished));
    expect(output).toMatch(/^status: not started\n(.*\n)*next: .*touch .*provision\.txt && thermal-provision run/);
    expect(status).toBe(0);
  });

  it('follows a device from the request to the end, in text, JSON and explain', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const before = await ask(onTestFinished, paths.deviceFolder);
    expect(before.output).toContain(`thermal-provision run --dir ${paths.deviceFolder}`);
    await runAgentProcess(onTestFinished, paths.deviceFolder);

    const { output, status } = await ask(onTestFinished, paths.deviceFolder, ['status', '--long']);
    expect(status).toBe(0);
    expect(output).toMatch(/^status: done\ndevice: {10}thermal-camera-/);
    expect(output).toMatch(/previous device: .*thermal-camera-OLD001/);
    expect(output).toMatch(/verifyCredentials +[\d.]+ m?s/);
    expect(output).toContain('run.provisioned: ');
    const json = await ask(onTestFinished, paths.deviceFolder, ['status', '--format', 'json']);
    const parsed = statusSchema.parse(JSON.parse(json.output));
    expect(parsed).toMatchObject({ status: 'done', onServer: { kind: 'one device' }, errors: [], next: null });
    const words = await ask(onTestFinished, paths.deviceFolder, ['explain']);
    expect(words.output).toMatch(/It succeeded/);
    expect(words.status).toBe(0);
    const secrets = [DEVICE_SECRET, ...server.registry.devices().flatMap(({ token }) => token ?? [])];
    await assertNoSecrets(paths.deviceFolder, output + json.output + words.output, secrets);
  });

  it('of an interrupted run, also on a copy of the folder', async ({ expect, onTestFinished }) => {
    const { paths, deviceName } = await interruptedRun(onTestFinished);
    const here = await ask(onTestFinished, paths.deviceFolder);
    expect(here.output).toMatch(
      /^status: degraded\n(.*\n)*error: {11}INTERRUPTED(.*\n)*next: .*: thermal-provision run/,
    );
    expect(here.output).toMatch(new RegExp(`on server: .*possibly ${deviceName}`));
    expect(here.status).toBe(2);

    const copy = join(await makeFolder(onTestFinished), 'copy');
    await cp(paths.deviceFolder, copy, { recursive: true });
    const there = await ask(onTestFinished, copy, ['status'], { env: { THERMAL_BOARD_ID: 'desk' } });
    expect(there.output).toContain('FOREIGN_BOARD');
    expect(there.status).toBe(2);
    const words = await ask(onTestFinished, copy, ['explain'], { env: { THERMAL_BOARD_ID: 'desk' } });
    expect(words.output).toContain(`A device named ${deviceName} may exist on`);
  });

  it('of a damaged snapshot says what happens next', async ({ expect, onTestFinished }) => {
    const { paths } = await interruptedRun(onTestFinished);
    await writeFile(paths.snapshot, '{"state":');
    const { output, status } = await ask(onTestFinished, paths.deviceFolder);
    expect(output).toMatch(
      /^status: degraded\n(.*\n)*error: {11}SNAPSHOT_DAMAGED(.*\n)*next: .*sets the damaged file aside/,
    );
    expect(status).toBe(2);
  });

  it('without read permission says which user has it', async ({ expect, onTestFinished }) => {
    const { paths } = await interruptedRun(onTestFinished);
    // Root may read everything, so another user asks.
    await giveToUnprivileged(paths.deviceFolder);
    await chmod(paths.stateFolder, 0);
    onTestFinished(() => chmod(paths.stateFolder, 0o700));
    const { output, status } = await ask(onTestFinished, paths.deviceFolder, ['status'], { user: unprivileged });
    expect(output).toMatch(
      /^status: error\n(.*\n)*error: {11}FILE_NOT_PERMITTED(.*\n)*next: .*sudo thermal-provision status/,
    );
    expect(status).toBe(1);
  });

  it('of a request in a folder that nobody may write to names the reason', async ({ expect, onTestFinished }) => {
    const { paths } = await makeDeviceFolder(onTestFinished, { port: await closedPort() });
    await giveToUnprivileged(paths.deviceFolder);
    await chmod(paths.deviceFolder, 0o555);
    onTestFinished(() => chmod(paths.deviceFolder, 0o755));
    const { output, status } = await ask(onTestFinished, paths.deviceFolder, ['status'], { user: unprivileged });
    expect(output).toMatch(
      /^status: error\n(.*\n)*error: {11}FOLDER_NOT_WRITABLE.*\nhint: .*run this command as that user/,
    );
    expect(status).toBe(1);
  });

  it('with a mistyped --state-dir says so, as run does', async ({ expect, onTestFinished }) => {
    const { paths } = await makeDeviceFolder(onTestFinished, { port: await closedPort() });
    const stateDir = ['--state-dir', '/nonexistent/state'];
    const run = await ask(onTestFinished, paths.deviceFolder, ['run', ...stateDir]);
    const { output, status } = await ask(onTestFinished, paths.deviceFolder, ['status', ...stateDir]);
    expect(run).toMatchObject({ status: 64, output: expect.stringContaining('there is no folder /nonexistent') });
    expect(output).toMatch(/^status: error\n(.*\n)*error: {11}USAGE.*\n(.*\n)*next: .*--state-dir <state folder>\n$/);
    expect(status).toBe(1);
  });

  it('counts down while the agent waits, and --wait ends with the run', async ({ expect, onTestFinished }) => {
    const port = await closedPort();
    const { paths } = await makeDeviceFolder(onTestFinished, { port, provisioning: { max_retries: 2 } });
    const agent = startAgent(onTestFinished, paths.deviceFolder);
    await agent.logged('backoff.waiting');
    // The snapshot of a pause is saved within 200 ms.
    await expect.poll(async () => (await readSnapshot(paths.snapshot)).kind === 'snapshot').toBe(true);
    const now = await ask(onTestFinished, paths.deviceFolder, ['status', '--wait', '--timeout', '0']);
    expect(now.output).toMatch(/^status: running\n/);
    expect(now.output).toContain(`running as process ${agent.pid}`);
    expect(now.status).toBe(75);
    const end = await ask(onTestFinished, paths.deviceFolder, ['status', '--wait', '--timeout', '14']);
    expect(end.output).toMatch(/^status: error\n(.*\n)*error: {11}CONNECTION_REFUSED/);
    expect(end.status).toBe(1);
    expect((await agent.ended).status).toBe(69);
  });

  it.for([['--timeout', 'soon'], ['--timeout', '-1'], ['--format', 'xml'], ['--no-such-option']])(
    'refuses %s',
    async (args, { expect, onTestFinished }) => {
      const { status } = await ask(onTestFinished, await makeFolder(onTestFinished), ['status', ...args]);
      expect(status).toBe(64);
    },
  );

  it('of a start that failed before a run shows its code', async ({ expect, onTestFinished }) => {
    const { paths } = await interruptedRun(onTestFinished);
    await rm(paths.provisionTxt);
    await writeFile(paths.credentials, '{"format":"thermal-provision-credentials","version":99}');
    await runAgentProcess(onTestFinished, paths.deviceFolder);
    const { output, status } = await ask(onTestFinished, paths.deviceFolder);
    expect(output).toMatch(/error: {11}CREDENTIALS_NEWER(.*\n)*next: .*Install the newer agent/);
    expect(status).toBe(1);
  });
});
