import { describe, it } from 'vitest';
import type { SimulatorEvent } from '../../../src/simulator/events.ts';
import { fileContentId } from '../../support/contentId.ts';
import { OLD_DEVICE, OLD_TOKEN } from '../../support/deviceFiles.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { startServer, watchEvents } from '../../support/server.ts';
import { AGENT, CLIENT, makeBoard } from './board.ts';
import { bootWhen, request, requestText, SHORT_PAUSES, stateOf, unitWhen, until } from './requests.ts';

const OLD = { name: OLD_DEVICE, credentials: { type: 'ACCESS_TOKEN', token: OLD_TOKEN } } as const;

/** A configuration for the server on which the camera will be provisioned. */
const configOn = (port: number): string =>
  JSON.stringify({
    thingsboard: { host: '127.0.0.1', port, access_token: OLD_TOKEN, device_id: OLD_DEVICE, use_ssl: false },
    telemetry: {
      interval_seconds: 1,
      measurement_spots: [
        { id: 1, name: 'bearing', x: 10, y: 20, min_temp: 20, max_temp: 80, noise_factor: 0.1, enabled: true },
      ],
    },
  });

const ALLOW_RPC = '[Service]\nEnvironment=THERMAL_ALLOW_RPC=yes\n';

/** The devices that sent telemetry, in order of their first message. */
const speakers = (events: readonly SimulatorEvent[]): readonly string[] => [
  ...new Set(events.flatMap((event) => (event.type === 'telemetry' ? [event.device] : []))),
];

describe.concurrent("the camera's client", () => {
  it('starts after provisioning, as the new device', async ({ expect, onTestFinished }) => {
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { devices: [OLD], latencyMs: 400, onEvent: watch.onEvent });
    const board = await makeBoard(onTestFinished);
    await board.put(board.paths.thermalConfig, configOn(server.port));
    await board.enable(CLIENT);
    await request(board, server.port);
    await board.boot();
    expect(await bootWhen(board)).toBe('running\n');
    const agent = await stateOf(board, AGENT);
    expect(agent).toMatchObject({ ActiveState: 'inactive', Result: 'success', NRestarts: '0' });
    const client = await unitWhen(board, CLIENT, 'active');
    expect(Number(client.ExecMainStartTimestampMonotonic)).toBeGreaterThan(
      Number(agent.ExecMainExitTimestampMonotonic),
    );
    const spoken = await until(
      async () => speakers(watch.events),
      (names) => names.length > 0,
    );
    expect(await provisionedProblems(board.paths, server, 2)).toEqual([]);
    expect(spoken).toEqual(server.registry.devices().flatMap(({ name }) => (name === OLD_DEVICE ? [] : [name])));
  });

  it('uses the old configuration when provisioning fails', async ({ expect, onTestFinished }) => {
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { devices: [OLD], onEvent: watch.onEvent });
    const board = await makeBoard(onTestFinished);
    await board.put(board.paths.thermalConfig, configOn(server.port));
    const before = await fileContentId(board.paths.thermalConfig);
    await board.enable(CLIENT);
    await request(board, server.port, { device_key: 'of another profile' });
    await board.boot();
    expect(await bootWhen(board)).toBe('degraded\n');
    expect(await stateOf(board, AGENT)).toMatchObject({ ActiveState: 'failed', ExecMainStatus: '77' });
    await unitWhen(board, CLIENT, 'active');
    expect(
      await until(
        async () => speakers(watch.events),
        (names) => names.length > 0,
      ),
    ).toEqual([OLD_DEVICE]);
    expect(await fileContentId(board.paths.thermalConfig)).toBe(before);
    expect(server.registry.size).toBe(1);
  });

  it('is restarted with the new configuration when it is already running', async ({ expect, onTestFinished }) => {
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { devices: [OLD], onEvent: watch.onEvent });
    const board = await makeBoard(onTestFinished);
    await board.put(board.paths.thermalConfig, configOn(server.port));
    await board.enable(CLIENT);
    await board.boot();
    await until(
      async () => speakers(watch.events),
      (names) => names.includes(OLD_DEVICE),
    );
    await request(board, server.port);
    const spoken = await until(
      async () => speakers(watch.events),
      (names) => names.length > 1,
    );
    expect(await provisionedProblems(board.paths, server, 2)).toEqual([]);
    expect(spoken).toEqual([OLD_DEVICE, server.registry.devices().find(({ name }) => name !== OLD_DEVICE)?.name]);
    expect(await stateOf(board, CLIENT)).toMatchObject({ ActiveState: 'active', NRestarts: '0' });
  });

  it('restarts as a new device after the server has asked for one', async ({ expect, onTestFinished }) => {
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { devices: [OLD], onEvent: watch.onEvent });
    const board = await makeBoard(onTestFinished);
    await board.put(board.paths.thermalConfig, configOn(server.port));
    await board.put(board.paths.provisionJson, requestText(server.port));
    await board.enable(CLIENT);
    await board.edit(CLIENT, ALLOW_RPC);
    await board.boot();
    await until(
      async () => server.sendRpc(OLD_DEVICE, 'reprovision', {}),
      (sent) => sent !== undefined,
    );
    const spoken = await until(
      async () => speakers(watch.events),
      (names) => names.length > 1,
    );
    expect(watch.events.filter(({ type }) => type === 'rpcResponse')).toMatchObject([
      { device: OLD_DEVICE, payload: expect.stringContaining('"requested"') },
    ]);
    expect(await provisionedProblems(board.paths, server, 2)).toEqual([]);
    expect(spoken).toEqual([OLD_DEVICE, server.registry.devices().find(({ name }) => name !== OLD_DEVICE)?.name]);
    expect(await unitWhen(board, CLIENT, 'active')).toMatchObject({ ActiveState: 'active' });
  });

  it('starts again with its configuration when the run fails that the server has asked for', async (context) => {
    const { expect, onTestFinished } = context;
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { devices: [OLD], onEvent: watch.onEvent });
    const board = await makeBoard(onTestFinished);
    await board.put(board.paths.thermalConfig, configOn(server.port));
    await board.put(board.paths.provisionJson, requestText(server.port, { device_key: 'of another profile' }));
    await board.enable(CLIENT);
    await board.edit(CLIENT, `${ALLOW_RPC}${SHORT_PAUSES}`);
    await board.boot();
    await until(
      async () => server.sendRpc(OLD_DEVICE, 'reprovision', {}),
      (sent) => sent !== undefined,
    );
    const restarted = await until(
      () => stateOf(board, CLIENT),
      ({ NRestarts, ActiveState }) => NRestarts === '1' && ActiveState === 'active',
    );
    expect(restarted.ConditionResult).toBe('yes');
    expect(await stateOf(board, AGENT)).toMatchObject({ ActiveState: 'failed', ExecMainStatus: '77' });
    const before = watch.events.length;
    await until(
      async () => speakers(watch.events.slice(before)),
      (names) => names.length > 0,
    );
    expect(speakers(watch.events)).toEqual([OLD_DEVICE]);
    expect(server.registry.size).toBe(1);
  });
});
