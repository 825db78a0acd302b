import { describe, expect, it } from 'vitest';
import { runClient } from '../../src/client/runClient.ts';
import type { TemperatureSource } from '../../src/client/temperatureSource.ts';
import { until } from '../support/until.ts';
import { configFor, recordingLog, startTcp } from './testBroker.ts';
import { broker, clock, folder, run, steady, steadySource, tcp } from './testClient.ts';

describe('a stop', () => {
  it('before the start opens no connection and closes the source', async () => {
    const server = await broker();
    const source = steadySource();
    await runClient({
      deviceFolder: folder,
      config: configFor(server.port),
      source,
      log: recordingLog(),
      clock,
      signal: AbortSignal.abort(),
    });
    expect(server.clientIds).toEqual([]);
    expect(source.closed).toBe(1);
  });

  it('while connecting ends at once', async () => {
    const silent = await tcp(() => {});
    const { stop } = run({ config: configFor(silent.port) });
    await until(() => silent.connections() === 1);
    expect(await stop()).toBeLessThan(1_500);
    await until(() => silent.connections() === 0);
  });

  it('while the client waits for an answer ends soon', async () => {
    const server = await broker({ answer: () => 'silence' });
    const { stop } = run({ config: configFor(server.port) });
    await server.receives(1, 'attributes');
    expect(await stop()).toBeLessThan(1_500);
    await until(async () => (await server.connections()) === 0);
  });

  it('while a reading hangs ends soon', async () => {
    const server = await broker();
    const source: TemperatureSource = { read: () => new Promise(() => {}), close: () => new Promise(() => {}) };
    const { stop } = run({ config: configFor(server.port), source });
    await server.receives(1, 'attributes');
    expect(await stop()).toBeLessThan(1_800);
  });

  it('while a message waits to be sent again ends soon', async () => {
    const server = await broker({ answer: () => 'silence' });
    const config = configFor(server.port, { telemetry: { retryAttempts: 3, retryDelayMs: 10_000 } });
    const { stop } = run({ config, ackMs: 30 });
    await server.receives(1, 'attributes');
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(await stop()).toBeLessThan(1_500);
    expect(server.received).toHaveLength(1);
  });

  it('between two publications sends DISCONNECT to the server', async () => {
    const server = await broker();
    const source = steadySource();
    const config = configFor(server.port, { telemetry: { intervalSeconds: 60 } });
    const { stop } = run({ config, source });
    await server.receives(1);
    expect(await stop()).toBeLessThan(1_000);
    await until(async () => (await server.connections()) === 0);
    expect(source.closed).toBe(1);
  });

  it('while the client waits before the next attempt ends at once', async () => {
    const closed = await startTcp(() => {});
    await closed.close();
    const { stop, log } = run({ config: configFor(closed.port) });
    await until(() => log.of('session.lost').length === 1);
    expect(await stop()).toBeLessThan(500);
  });

  it('warns about a source that can not be closed', async () => {
    const server = await broker();
    const source: TemperatureSource = { ...steady(), close: () => Promise.reject(new Error('stuck')) };
    const { stop, log } = run({ config: configFor(server.port), source });
    await server.receives(1);
    await stop();
    expect(log.of('source.not-closed')).toHaveLength(1);
  });
});
