import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startSimulator } from '../../../src/simulator/simulator.ts';
import { startAgent } from '../../support/agentProcess.ts';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import { loginAsDevice } from '../../support/deviceLogin.ts';
import { configuredDevice } from '../../support/provisionedDevice.ts';
import { DEVICE_KEY, DEVICE_SECRET, startServer, watchEvents } from '../../support/server.ts';

const SPOT = '{"id":1,"name":"Spot","x":1,"y":1,"min_temp":20,"max_temp":80,"noise_factor":0.1,"enabled":true}';
const CONFIG = `{
  "thingsboard": { "host": "old.example", "port": 1, "access_token": "old", "device_id": "old" },
  "telemetry": { "interval_seconds": 1, "measurement_spots": [ ${SPOT} ] }
}
`;

test('P1: start provisions, publishes with the new token, and reconnects to a restarted server', async ({
  onTestFinished,
}) => {
  const registryFile = join(await makeFolder(onTestFinished), 'registry.json');
  const options = { deviceKey: DEVICE_KEY, deviceSecret: DEVICE_SECRET, registryFile };
  let server = await startSimulator(options);
  onTestFinished(() => server.close());
  const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, config: CONFIG });
  const agent = startAgent(onTestFinished, paths.deviceFolder, { command: ['start'] });
  const { deviceName } = await agent.logged('run.provisioned');
  const device = await configuredDevice(paths);
  expect(device.deviceId).toBe(deviceName);
  const published = (): number => server.registry.telemetry(device.deviceId).length;
  await expect.poll(published).toBeGreaterThanOrEqual(1);
  expect(server.registry.devices().map(({ name }) => name)).toEqual([deviceName]);

  const { port } = server;
  await server.close();
  const watch = watchEvents();
  server = await startSimulator({ ...options, port, onEvent: watch.onEvent });
  const again = (): boolean => watch.events.some((event) => event.type === 'telemetry' && event.device === deviceName);
  await expect.poll(again).toBe(true);
  agent.child.kill('SIGTERM');
  expect((await agent.ended).status).toBe(0);
  expect(await loginAsDevice('127.0.0.1', port, device.token)).toBe('answered');
});

test('start publishes the provisioning record once', async ({ onTestFinished }) => {
  const server = await startServer(onTestFinished);
  const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, config: CONFIG });
  const agent = startAgent(onTestFinished, paths.deviceFolder, { command: ['start'] });
  const { deviceName, runId } = await agent.logged('run.provisioned');
  const logged = await agent.logged('record.published');
  expect(logged).toMatchObject({ level: 'info', run: runId });
  expect(server.registry.attributes(String(deviceName))).toMatchObject({
    provisioning_run_id: runId,
    provisioning_agent_version: expect.stringMatching(/^\d/),
    provisioning_attempts: 1,
    provisioning_duration_ms: expect.any(Number),
    provisioning_time: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  agent.child.kill('SIGTERM');
  expect((await agent.ended).status).toBe(0);

  const again = startAgent(onTestFinished, paths.deviceFolder, { command: ['start', '--no-provision'] });
  await again.logged('session.connected');
  const before = server.registry.telemetry(String(deviceName)).length;
  await expect.poll(() => server.registry.telemetry(String(deviceName)).length).toBeGreaterThan(before);
  again.child.kill('SIGTERM');
  expect((await again.ended).log.map(({ event }) => event)).not.toContain('record.published');
});
