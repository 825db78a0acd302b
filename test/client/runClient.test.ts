import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SimulatedClock } from 'xstate';
import { runClient } from '../../src/client/runClient.ts';
import type { TemperatureSource } from '../../src/client/temperatureSource.ts';
import { Failure } from '../../src/failures/failure.ts';
import { issueAuthority, issueCertificate } from '../../src/simulator/certificate.ts';
import type { Clock } from '../../src/time/clock.ts';
import { accessToken } from '../support/accessToken.ts';
import { until } from '../support/until.ts';
import { configFor, recordingLog, spot, startBroker, TOKEN } from './testBroker.ts';
import { areClosed, broker, clientSockets, clock, folder, run, steady, tcp } from './testClient.ts';

describe('runClient', () => {
  it('publishes all enabled spots in one message every interval', async () => {
    const server = await broker();
    const measurementSpots = [spot(1), spot(2, false), spot(3)];
    const { stop, log } = run({ config: configFor(server.port, { telemetry: { measurementSpots } }) });
    const telemetry = await server.receives(3);
    expect(telemetry[0]).toEqual({
      topic: 'v1/devices/me/telemetry',
      payload: { spot_1_temperature: 10, spot_3_temperature: 30 },
      qos: 1,
    });
    await stop();
    expect(log.of('session.connected')).toMatchObject([{ details: { deviceId: 'camera-1', connections: 1 } }]);
    expect(log.of('telemetry.stopped')).toMatchObject([{ details: { connections: 1 } }]);
  });

  it('publishes a message for each spot without batch transmission', async () => {
    const server = await broker();
    run({ config: configFor(server.port, { telemetry: { batchTransmission: false } }) });
    const telemetry = await server.receives(2);
    expect(telemetry.map(({ payload }) => payload).slice(0, 2)).toEqual([
      { spot_1_temperature: 10 },
      { spot_2_temperature: 20 },
    ]);
  });

  it('publishes names and positions of the spots once per connection, as client attributes', async () => {
    const server = await broker();
    run({ config: configFor(server.port) });
    await server.receives(2);
    server.closeConnections();
    const attributes = await server.receives(2, 'attributes');
    expect(attributes).toHaveLength(2);
    expect(attributes[0]).toMatchObject({
      topic: 'v1/devices/me/attributes',
      payload: { spot_1_name: 'Spot 1', spot_1_x: 10, spot_1_y: 20, spot_2_name: 'Spot 2', spot_2_x: 20, spot_2_y: 40 },
    });
    expect(server.received[0]?.topic).toBe('v1/devices/me/attributes');
  });

  it('reconnects after a restart of the broker', async () => {
    const first = await startBroker();
    const { log } = run({ config: configFor(first.port) });
    await first.receives(1);
    await first.close();
    const second = await broker({ port: first.port });
    await second.receives(1);
    expect(log.of('session.lost')).toMatchObject([
      { level: 'warn', details: { code: 'CONNECTION_LOST', retryInMs: 500 } },
    ]);
    expect(log.of('session.connected')).toHaveLength(2);
  });

  it('logs a refused token as an error, and never shows the token', async () => {
    const server = await broker();
    const login = accessToken('refused-token');
    const { log, stop } = run({ config: configFor(server.port, { thingsboard: { login } }) });
    await until(() => log.of('session.refused').length === 1);
    expect(log.of('session.refused')).toMatchObject([
      {
        level: 'error',
        details: { code: 'CREDENTIALS_REFUSED', retryInMs: 60_000, hint: expect.stringMatching(/\w/) },
      },
    ]);
    await stop();
    expect(JSON.stringify(log.lines)).not.toMatch(/refused-token/);
  });

  it('reports an unexpected error as a defect, with a hint', async () => {
    const server = await broker();
    const provisioning = { runId: 'r', provisionedAt: '2026-11-23T10:00:00.000Z' };
    const record = { pending: () => Promise.reject(new TypeError('boom')), published: async () => {} };
    const { log } = run({ config: { ...configFor(server.port), provisioning }, record });
    await until(() => log.of('session.lost').length === 1);
    expect(log.of('session.lost')).toMatchObject([
      {
        message: 'Unexpected error: TypeError: boom',
        details: { code: 'INTERNAL', hint: expect.stringContaining('please report it') },
      },
    ]);
  });

  it('uses new settings at the next connection', async () => {
    const old = await broker();
    const renewed = await broker();
    let config = configFor(old.port, { thingsboard: { login: accessToken('outdated') } });
    const chartClock = new SimulatedClock();
    const { log } = run({ config, readConfig: async () => config, chartClock });
    await until(() => log.of('session.refused').length === 1);
    config = configFor(renewed.port, { telemetry: { measurementSpots: [spot(5)] } });
    chartClock.increment(60_000);
    expect(await renewed.receives(1)).toMatchObject([{ payload: { spot_5_temperature: 50 } }]);
    expect(log.of('config.changed')).toHaveLength(1);
  });

  it('keeps the previous settings while the file can not be used', async () => {
    const server = await broker();
    const readConfig = (): Promise<never> =>
      Promise.reject(new Failure('CONFIG_UNREADABLE', 'notEditable', { problem: 'is half a file' }));
    const { log } = run({ config: configFor(server.port), readConfig });
    await server.receives(1);
    expect(log.of('config.unusable')).toMatchObject([{ level: 'warn', details: { code: 'CONFIG_UNREADABLE' } }]);
  });

  it('keeps the previous settings when reading the file never ends', async () => {
    const server = await broker();
    const { log } = run({ config: configFor(server.port), readConfig: () => new Promise(() => {}) });
    await server.receives(1);
    expect(log.of('config.unusable')).toHaveLength(1);
  });

  it('continues after readings that fail, hang, are too old or not numbers', async () => {
    const server = await broker();
    let round = 0;
    const source: TemperatureSource = {
      read: async () => {
        round += 1;
        if (round === 1) throw new Error('sensor unplugged');
        if (round === 2) return new Promise(() => {});
        if (round === 3) return [{ spot: 1, temperature: 1, readAt: clock.monotonic() - 10_000 }];
        if (round === 4) return [{ spot: 1, temperature: Number.NaN, readAt: clock.monotonic() }];
        return [{ spot: 1, temperature: round, readAt: clock.monotonic() }];
      },
      close: async () => {},
    };
    const { log } = run({ config: configFor(server.port), source });
    expect((await server.receives(1))[0]).toMatchObject({ payload: { spot_1_temperature: 5 } });
    expect(log.of('session.connected')).toHaveLength(1);
    expect(log.of('telemetry.reading-failed')[0]?.message).toContain('sensor unplugged');
    expect(log.of('telemetry.no-value')[0]?.message).toContain('spot 1, 2');
  });

  it('sends a message again as often as configured, then reconnects', async () => {
    const server = await broker({ answer: () => 'silence' });
    const config = configFor(server.port, { telemetry: { retryAttempts: 2 } });
    const { log } = run({ config, ackMs: 40 });
    await until(() => log.of('session.lost').length === 1);
    expect(server.received).toHaveLength(3);
    expect(log.of('session.lost')[0]?.details).toMatchObject({ code: 'ANSWER_TIMEOUT' });
    await until(async () => (await server.connections()) === 0);
    await until(() => log.of('session.connected').length === 2);
  });

  it('does not resend a message for which the server closed the connection', async () => {
    const server = await broker({ answer: () => 'close' });
    const { log } = run({ config: configFor(server.port, { telemetry: { retryAttempts: 10 } }) });
    await until(() => log.of('session.lost').length === 1);
    expect(server.received).toHaveLength(1);
  });

  it('continues when the message after an unanswered one is answered', async () => {
    let count = 0;
    const server = await broker({
      answer: () => {
        count += 1;
        return count === 2 ? 'silence' : 'ack';
      },
    });
    const { log } = run({ config: configFor(server.port, { telemetry: { retryAttempts: 1 } }), ackMs: 500 });
    await server.receives(4);
    expect(log.of('session.connected')).toHaveLength(1);
  });

  it('closes the connection to a server that stops speaking MQTT', async () => {
    const server = await tcp((socket) => {
      socket.once('data', () => {
        socket.write(Buffer.from([0x20, 2, 0, 0]));
        setTimeout(() => socket.write('no MQTT'), 30);
      });
    });
    const { log } = run({ config: configFor(server.port) });
    await until(() => log.of('session.lost').length === 1);
    expect(log.of('session.lost')[0]?.details).toMatchObject({ code: 'NOT_MQTT' });
    expect(clientSockets.length).toBeGreaterThan(0);
    expect(areClosed()).toBe(true);
  });

  it('names a CA file that it can not use, and keeps trying', async () => {
    await writeFile(join(folder, 'ca.pem'), 'no certificate');
    const { log } = run({ config: configFor(1, { thingsboard: { useSsl: true, caFile: 'ca.pem' } }) });
    await until(() => log.of('session.lost').length === 1);
    expect(log.of('session.lost')[0]).toMatchObject({
      message: expect.stringContaining(join(folder, 'ca.pem')),
      details: { code: 'CA_FILE_UNUSABLE', hint: expect.stringContaining('thingsboard.ca_file') },
    });
  });

  describe('with TLS', async () => {
    const authority = await issueAuthority();
    const served = await issueCertificate({ names: ['localhost'], ips: ['127.0.0.1'], ca: authority });

    it('publishes to a server with the CA of the configuration', async () => {
      const server = await broker({ tls: served });
      await writeFile(join(folder, 'ca.pem'), authority.cert);
      run({ config: configFor(server.port, { thingsboard: { useSsl: true, caFile: 'ca.pem' } }) });
      expect((await server.receives(1))[0]?.payload).toEqual({ spot_1_temperature: 10, spot_2_temperature: 20 });
    });

    it('does not send its token to a server with an unknown CA', async () => {
      const server = await broker({ tls: served });
      const { log } = run({ config: configFor(server.port, { thingsboard: { useSsl: true } }) });
      await until(() => log.of('session.lost').length === 1);
      expect(log.of('session.lost')[0]?.details).toMatchObject({
        code: 'TLS_UNKNOWN_CA',
        hint: expect.stringContaining('thingsboard.ca_file'),
      });
      expect(server.clientIds).toEqual([]);
    });
  });

  it('warns that QoS 2 is sent as QoS 1', async () => {
    const server = await broker();
    const { log } = run({ config: configFor(server.port, { thingsboard: { qosLevel: 2 } }) });
    expect((await server.receives(1))[0]?.qos).toBe(1);
    expect(log.of('config.qos')).toHaveLength(1);
  });

  it('reports every state to the inspector, but no secret', async () => {
    const server = await broker();
    const events: string[] = [];
    const stopping = new AbortController();
    const ended = runClient({
      deviceFolder: folder,
      config: configFor(server.port),
      source: steady(),
      log: recordingLog(),
      clock,
      signal: stopping.signal,
      inspect: (event) => {
        if (event.type === '@xstate.snapshot') events.push(JSON.stringify([event.snapshot, event.event]));
      },
    });
    await server.receives(1);
    stopping.abort();
    await ended;
    expect(events.join('\n')).toContain('publishing');
    expect(events.join('\n')).not.toContain(TOKEN);
  });

  it('logs a summary once an hour, not each publication', async () => {
    const server = await broker();
    let hours = 0;
    const later: Clock = { now: clock.now, monotonic: () => clock.monotonic() + hours * 3_600_000 };
    const source: TemperatureSource = {
      read: async () => [{ spot: 1, temperature: 1, readAt: later.monotonic() }],
      close: async () => {},
    };
    const { log } = run({ config: configFor(server.port), source, clock: later });
    await server.receives(3);
    expect(log.of('telemetry.summary')).toHaveLength(0);
    hours = 1;
    await until(() => log.of('telemetry.summary').length > 0);
    await server.receives(server.received.length + 3);
    expect(log.of('telemetry.summary')).toHaveLength(1);
  });

  it('keeps no listener on the stop signal for a publication that has ended', async () => {
    const server = await broker();
    const { log, stop } = run({ config: configFor(server.port, { telemetry: { intervalSeconds: 0.001 } }) });
    const warnings: Error[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning);
    process.on('warning', onWarning);
    await server.receives(200);
    await stop();
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
    expect(log.of('session.connected')).toHaveLength(1);
  });
});
