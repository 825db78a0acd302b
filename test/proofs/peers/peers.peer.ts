import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RELEASE_NAMES } from '../../../src/simulator/release.ts';
import {
  DEFAULT_DEVICE_KEY,
  DEFAULT_DEVICE_SECRET,
  type Simulator,
  startSimulator,
} from '../../../src/simulator/simulator.ts';

const run = promisify(execFile);
const LIMIT_MS = 60_000;

const python = process.env.PEERS_PYTHON ?? 'python3';
const program = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Runs a client. @returns the document that it prints */
async function peer(name: string, simulator: Simulator, ...more: string[]): Promise<unknown> {
  const args = [program(name), '127.0.0.1', String(simulator.port), DEFAULT_DEVICE_KEY, DEFAULT_DEVICE_SECRET];
  const { stdout } = await run(python, [...args, ...more], { timeout: LIMIT_MS });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

describe.each(RELEASE_NAMES)('against the simulator of release %s', (release) => {
  const simulate = async (): Promise<Simulator> => {
    const simulator = await startSimulator({ release });
    onTestFinished(() => simulator.close());
    return simulator;
  };

  it('the Python SDK provisions a device, sends telemetry and reads its attribute back', async () => {
    const simulator = await simulate();
    expect(await peer('deviceSdk.py', simulator, 'sdk-camera')).toEqual({
      type: 'ACCESS_TOKEN',
      telemetry: 0,
      attributes: { client: { firmware: '1.0' } },
    });
    expect(simulator.registry.devices().map(({ name }) => name)).toEqual(['sdk-camera']);
    expect(JSON.stringify(simulator.registry.telemetry('sdk-camera'))).toContain('"temperature":21.5');
  });

  it.each(['ACCESS_TOKEN', 'MQTT_BASIC'])('the IoT Gateway provisions itself with %s and connects', async (type) => {
    const simulator = await simulate();
    expect(await peer('gateway.py', simulator, 'gateway', type)).toEqual({ connected: true });
    expect(simulator.registry.devices()).toMatchObject([{ name: 'gateway', credentialsType: type }]);
    expect(simulator.registry.counts.deviceConnects).toBe(1);
  });
});
