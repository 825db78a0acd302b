/** What the log says about the course of a run, for the person who reads it. docs/events.md names the fields. */
import { writeFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/secret.ts';
import { AGENT_VERSION, type AgentRun, cutIn, runDevice, scene } from '../support/agentRun.ts';
import { OLD_CONFIG, OLD_DEVICE, putTrigger } from '../support/deviceFiles.ts';
import { quickProvisionJson } from '../support/deviceFolder.ts';
import { configuredDevice } from '../support/provisionedDevice.ts';

const messages = (run: AgentRun, event: string): string[] => run.of(event).map(({ message }) => message);

describe('a run that succeeds', () => {
  it('says as what and where the camera is provisioned, and what its former device was', async () => {
    const { simulator, paths } = await scene();
    const run = await runDevice(paths);
    const { token, deviceId } = await configuredDevice(paths);
    expect(messages(run, 'run.started')).toEqual([`Starting run ${run.runId}: no earlier run`]);
    expect(run.of('run.started')[0]?.details).toEqual({ agentVersion: AGENT_VERSION });
    expect(messages(run, 'run.provisioned')).toEqual([
      `Provisioned as ${deviceId}; thermal_config.json holds the new credentials`,
    ]);
    const { seconds, ...details } = run.of('run.provisioned')[0]?.details ?? {};
    expect(details).toEqual({
      deviceName: deviceId,
      server: `127.0.0.1:${simulator.port}`,
      token: new Secret(token).fingerprint(),
      backup: expect.stringMatching(/^thermal_config\.json\.backup\./),
    });
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(30);
    expect(Number(seconds) * 10).toBeCloseTo(Math.round(Number(seconds) * 10));
    expect(run.of('device.former')).toMatchObject([
      {
        message: `The previous device ${OLD_DEVICE} is no longer used: delete it on the server`,
        details: { former: OLD_DEVICE },
      },
    ]);
  });

  it('after an earlier one says why it begins', async () => {
    const { paths } = await scene();
    await runDevice(paths);
    await putTrigger(paths);
    const run = await runDevice(paths);
    expect(messages(run, 'run.started')).toEqual([`Starting run ${run.runId}: provision.txt is present again`]);
  });

  it('has no former device when the configuration names none', async () => {
    const { paths } = await scene({}, { config: null });
    expect((await runDevice(paths)).of('device.former')).toEqual([]);
  });
});

describe('a run that is interrupted', () => {
  it('says so, and the next start says where it continues', async () => {
    const { paths } = await scene();
    const cut = await runDevice(paths, { interruptIn: 'verifyCredentials' });
    expect(messages(cut, 'run.interrupted')).toEqual(['Interrupted: the next start resumes the run']);
    await cutIn(paths, 'backup');
    const run = await runDevice(paths);
    expect(messages(run, 'run.resumed')).toEqual([`Resuming run ${run.runId} at backup`]);
  });

  it('before its last step, and finds its configuration replaced: says that it writes it again', async () => {
    const { paths } = await scene();
    await cutIn(paths, 'finalize');
    await writeFile(paths.thermalConfig, OLD_CONFIG);
    expect(messages(await runDevice(paths), 'config.replaced')).toEqual([
      'thermal_config.json was replaced before the run ended: writing it again',
    ]);
  });

  it('during its clean-up: the next start says that it completes this', async () => {
    const { paths } = await scene();
    const { runId } = await cutIn(paths, 'provisioned');
    await rm(paths.provisionTxt, { force: true });
    const message = 'Completed the clean-up left over from a finished run';
    expect((await runDevice(paths)).of('run.swept')).toMatchObject([{ runId, message }]);
  });
});

it('a run whose settings change says that another one begins', async () => {
  const { simulator, paths } = await scene();
  let changed = false;
  const run = await runDevice(paths, {
    onState: (state) => {
      if (state !== 'verifyCredentials' || changed) return;
      changed = true;
      writeFileSync(paths.provisionJson, quickProvisionJson({ port: simulator.port, device: { name: 'hall-7' } }));
    },
  });
  expect(messages(run, 'run.superseded')).toEqual([
    'provision.json was changed: a new run starts with the new settings',
  ]);
});

it('a pause says how long it is, before what and why', async () => {
  const { paths } = await scene({ faults: [{ on: 'connect', nth: 1, action: 'close' }] });
  const run = await runDevice(paths);
  expect(messages(run, 'backoff.waiting')).toEqual([
    expect.stringMatching(/^Waiting 1 s before the next retry: 127\.0\.0\.1:\d+ closed the connection before/),
  ]);
  const refused = await scene({ faults: [{ on: 'deviceConnect', nth: 1, action: 'refuse', code: 5 }] });
  expect(messages(await runDevice(refused.paths), 'backoff.waiting')).toEqual([
    'Waiting 1 s before the next verification',
  ]);
});
