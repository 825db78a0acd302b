import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createProvisioningRecord } from '../../src/client/provisioningRecord.ts';
import { type DevicePaths, devicePaths } from '../../src/device/paths.ts';
import { runDevice, scene } from '../support/agentRun.ts';
import { putTrigger } from '../support/deviceFiles.ts';
import { until } from '../support/until.ts';
import { configFor, type Received, recordingLog } from './testBroker.ts';
import { broker, folder, run } from './testClient.ts';

const ORIGIN = { runId: 'run-1', provisionedAt: '1970-01-01T00:00:09.000Z' };
const isRecord = ({ payload }: Received): boolean => JSON.stringify(payload).includes('provisioning_run_id');

/** A client with the credentials of ORIGIN's run, and the records that it publishes. */
async function operate(
  paths: DevicePaths,
  options: { qosLevel?: number; answer?: (received: Received) => 'ack' | 'silence' | 'close' } = {},
) {
  const { qosLevel = 1, ...given } = options;
  const server = await broker(given);
  const log = recordingLog();
  const config = { ...configFor(server.port, { thingsboard: { qosLevel } }), provisioning: ORIGIN };
  const client = run({ config, record: createProvisioningRecord(paths, log), ackMs: 200 });
  return { server, client, log, published: () => server.received.filter(isRecord) };
}

describe('the record of the provisioning', () => {
  it('has run, time, version, attempts and duration after a provisioning', async () => {
    const { simulator, paths } = await scene({
      faults: [{ on: 'provisionConnect', nth: 1, action: 'refuse', code: 3 }],
    });
    const provisioned = await runDevice(paths);
    expect(provisioned.outcome).toBe('provisioned');
    const origin = { ...ORIGIN, runId: provisioned.runId ?? '' };
    const log = recordingLog();
    const text = await createProvisioningRecord(paths, log).pending(origin);
    expect(JSON.parse(text ?? '')).toEqual({
      provisioning_run_id: provisioned.runId,
      provisioning_time: ORIGIN.provisionedAt,
      provisioning_agent_version: '1.0.0-test',
      provisioning_attempts: 2,
      provisioning_duration_ms: expect.any(Number),
    });
    expect(JSON.parse(text ?? '').provisioning_duration_ms).toBeGreaterThanOrEqual(1000);
    expect(text).not.toContain(String(simulator.registry.devices()[0]?.token));
  });

  it('has only run and time after another run has begun', async () => {
    const { paths } = await scene({}, { device: { name: 'cam-1' } });
    const first = await runDevice(paths);
    await putTrigger(paths);
    expect((await runDevice(paths)).outcome).toBe('failed');
    const text = await createProvisioningRecord(paths, recordingLog()).pending({ ...ORIGIN, runId: first.runId ?? '' });
    expect(JSON.parse(text ?? '')).toEqual({
      provisioning_run_id: first.runId,
      provisioning_time: ORIGIN.provisionedAt,
    });
  });
});

describe('normal operation', () => {
  it('publishes the record once with QoS 1, even with QoS 0 in the configuration and after a restart', async () => {
    const paths = devicePaths(folder);
    const first = await operate(paths, { qosLevel: 0 });
    await first.server.receives(2);
    await until(() => first.log.of('record.published').length === 1);
    first.server.closeConnections();
    await first.server.receives(4);
    expect(first.published()).toEqual([
      {
        topic: 'v1/devices/me/attributes',
        payload: { provisioning_run_id: 'run-1', provisioning_time: ORIGIN.provisionedAt },
        qos: 1,
      },
    ]);
    await first.client.stop();
    expect(JSON.parse(await readFile(paths.published, 'utf8'))).toMatchObject({ runId: 'run-1' });
    const second = await operate(paths);
    await second.server.receives(2);
    expect(second.published()).toEqual([]);
  });

  it('publishes the record again without an acknowledgement', async () => {
    let silent = true;
    const { server, log, published } = await operate(devicePaths(folder), {
      answer: (received) => (isRecord(received) && silent ? 'silence' : 'ack'),
    });
    await until(() => published().length >= 1);
    expect(log.of('record.published')).toEqual([]);
    silent = false;
    server.closeConnections();
    await until(() => log.of('record.published').length === 1);
  });

  it('ignores a damaged published.json, and one of another run', async () => {
    const paths = devicePaths(folder);
    await mkdir(paths.stateFolder);
    for (const note of ['{', '{}', '{"format":"thermal-provision-published","version":1,"runId":"run-0"}']) {
      await writeFile(paths.published, note);
      expect(await createProvisioningRecord(paths, recordingLog()).pending(ORIGIN)).toContain('run-1');
    }
  });

  it("warns if published.json can't be written, and does not publish again in this process", async () => {
    const paths = devicePaths(folder);
    await writeFile(paths.stateFolder, 'in the way of the folder');
    const log = recordingLog();
    const record = createProvisioningRecord(paths, log);
    await record.published(ORIGIN);
    expect(log.of('record.unmarked')).toHaveLength(1);
    expect(await record.pending(ORIGIN)).toBeUndefined();
    await rm(paths.stateFolder);
  });

  it("warns about a snapshot that can't be used, publishes no record, and continues with temperatures", async () => {
    const paths = devicePaths(folder);
    await mkdir(paths.stateFolder);
    const newer = { format: 'thermal-provision-snapshot', version: 99 };
    await writeFile(paths.snapshot, JSON.stringify(newer));
    const { server, log, published } = await operate(paths);
    await server.receives(2);
    expect(published()).toEqual([]);
    expect(log.of('record.unreadable')).toHaveLength(1);
  });
});
