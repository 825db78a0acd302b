import { check } from '../check.ts';
import type { Scenario } from '../scenario.ts';
import { eventually } from '../waiting.ts';

const LIMIT_SECONDS = 240;
const START_LIMIT_MS = 90_000;
const REFUSED_LIMIT_MS = 120_000;

const RECORD = [
  ...['provisioning_run_id', 'provisioning_time', 'provisioning_agent_version', 'provisioning_attempts'],
  'provisioning_duration_ms',
];

/** A configuration that publishes each second. */
const CONFIG = JSON.stringify({
  thingsboard: { host: 'old.example', port: 1883, access_token: 'token-of-the-old-device', device_id: 'old' },
  telemetry: {
    interval_seconds: 1,
    measurement_spots: [
      { id: 1, name: 'Spot', x: 1, y: 1, min_temp: 20, max_temp: 80, noise_factor: 0.1, enabled: true },
    ],
  },
});

const start: Scenario = {
  name: 'start',
  limitSeconds: LIMIT_SECONDS,
  async play(stage) {
    const profile = await stage.profile();
    const camera = await stage.camera(profile, { config: CONFIG });
    const agent = camera.start('start');
    const { runId } = await agent.logged('run.provisioned', START_LIMIT_MS);
    await agent.logged('record.published', START_LIMIT_MS);
    const { name } = await camera.configured();
    const { administration } = stage;
    const device = await eventually(`device ${name}`, () => administration.findDevice(name));
    const record = await eventually('the provisioning record on the server', async () => {
      const attributes = await administration.attributesOf(device, 'CLIENT');
      return RECORD.every((key) => attributes.has(key)) ? attributes : undefined;
    });
    check(String(record.get('provisioning_run_id')), runId ?? '', 'provisioning_run_id on the server');
    check(Number(record.get('provisioning_attempts')) >= 1 ? 'counted' : '', 'counted', 'provisioning_attempts');
    const temperature = await eventually('telemetry on the server', async () => {
      const telemetry = [...(await administration.telemetryOf(device))];
      return telemetry.find(([key]) => key.endsWith('_temperature'))?.[1];
    });
    check(Number.isFinite(Number(temperature)) ? 'a number' : String(temperature), 'a number', 'temperature');
    agent.signal('SIGTERM');
    await stage.checkProvisioned(camera, await agent.ended, profile);
    return { devices: 1 };
  },
};

const deleted: Scenario = {
  name: 'deleted-while-running',
  limitSeconds: LIMIT_SECONDS,
  async play(stage) {
    const profile = await stage.profile();
    const camera = await stage.camera(profile, { config: CONFIG });
    const agent = camera.start('start');
    await agent.logged('session.connected', START_LIMIT_MS);
    const { name } = await camera.configured();
    const { administration } = stage;
    const device = await eventually(`device ${name}`, () => administration.findDevice(name));
    await eventually('telemetry on the server', async () =>
      (await administration.telemetryOf(device)).size > 0 ? true : undefined,
    );
    await administration.deleteDevice(device);
    const refused = await agent.logged('session.refused', REFUSED_LIMIT_MS);
    check(refused.code ?? '', 'CREDENTIALS_REFUSED', 'code of session.refused');
    agent.signal('SIGTERM');
    const end = await agent.ended;
    check(end.status, 0, 'exit status', end.tail);
    check((await administration.findDevice(name))?.name ?? '', '', 'device made again');
    return { devices: 0 };
  },
};

export const NORMAL_OPERATION = [start, deleted];
