import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { DevicePaths } from '../../../src/device/paths.ts';
import { type AgentEnd, runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import { putTrigger } from '../../support/deviceFiles.ts';
import { thingsboardSection } from '../../support/fileLogin.ts';
import { loginScene, OTHER_KINDS } from '../../support/loginScene.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { watchEvents } from '../../support/server.ts';

const SPOT = '{"id":1,"name":"Spot","x":1,"y":1,"min_temp":20,"max_temp":80,"noise_factor":0.1,"enabled":true}';
const CONFIG = `{
  "thingsboard": { "host": "old.example", "port": 1, "access_token": "old", "device_id": "old" },
  "telemetry": { "interval_seconds": 1, "measurement_spots": [ ${SPOT} ] }
}
`;

const command = ({ deviceFolder }: DevicePaths, ...words: string[]): Promise<AgentEnd> =>
  runAgentProcess(onTestFinished, deviceFolder, { command: words });

describe.each(OTHER_KINDS)('a camera with "%s"', (kind) => {
  test('provisions, publishes, and is done', async () => {
    const { simulator, paths } = await loginScene(kind, {}, { config: CONFIG });
    const agent = startAgent(onTestFinished, paths.deviceFolder, { command: ['start'] });
    const { deviceName } = await agent.logged('run.provisioned');
    const published = (): number => simulator.registry.telemetry(String(deviceName)).length;
    await expect.poll(published, { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
    agent.child.kill('SIGTERM');
    expect((await agent.ended).status).toBe(0);
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
    const status = await command(paths, 'status');
    expect([status.status, status.output.split('\n')[0]]).toEqual([0, 'status: done']);
    expect(status.output).not.toMatch(/warning/);
  });

  test('publishes as the earlier device after its backup is restored', async () => {
    const { simulator, paths } = await loginScene(kind, {}, { config: CONFIG });
    expect((await command(paths, 'run')).status).toBe(0);
    const { device_id: first } = await thingsboardSection(paths);
    await putTrigger(paths);
    expect((await command(paths, 'run')).status).toBe(0);
    expect((await command(paths, 'backups', 'restore', '1', '--yes')).status).toBe(0);
    const agent = startAgent(onTestFinished, paths.deviceFolder, { command: ['start', '--no-provision'] });
    await expect.poll(() => simulator.registry.telemetry(String(first)).length, { timeout: 10_000 }).toBeGreaterThan(0);
    agent.child.kill('SIGTERM');
    expect((await agent.ended).status).toBe(0);
  });

  test('is killed between request and answer: the next start finds its device', async () => {
    const watch = watchEvents();
    const { simulator, paths } = await loginScene(kind, { latencyMs: 300, onEvent: watch.onEvent });
    const agent = startAgent(onTestFinished, paths.deviceFolder);
    watch.when('commit', () => agent.child.kill('SIGKILL'));
    await agent.ended;
    expect(simulator.registry.size).toBe(1);
    const again = await command(paths, 'run');
    expect(again.log.map(({ event }) => event)).toContain('reconcile.accepted');
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
  });
});

test('start without the key of the certificate ends with CLIENT_CERTIFICATE_UNUSABLE, and doctor says the same', async () => {
  const { paths } = await loginScene('x509', {}, { config: CONFIG });
  expect((await command(paths, 'run')).status).toBe(0);
  const { client_key_file: key } = await thingsboardSection(paths);
  await rm(join(paths.deviceFolder, String(key)));
  const end = await command(paths, 'start', '--no-provision');
  expect(end.status).toBe(65);
  expect(end.output).toContain('CLIENT_CERTIFICATE_UNUSABLE');
  expect((await command(paths, 'doctor')).output).toContain(`${key}: there is no such file`);
});
