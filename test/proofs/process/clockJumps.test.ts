import { expect, it } from 'vitest';
import { cutIn, runDevice, storeSnapshot } from '../../support/agentRun.ts';
import { makeDeviceFolder } from '../../support/deviceFolder.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { startServer } from '../../support/server.ts';

/** Thirty years. */
const YEARS_MS = 30 * 365 * 86_400_000;

// In this process, so that the test can read the pause instead of waiting for it.
it.for([
  { name: 'forwards', ms: -YEARS_MS, pause: 0 },
  { name: 'backwards', ms: YEARS_MS, pause: 60_000 },
])(
  'FR-011: the clock jumps $name during a pause: the rest of the pause is $pause ms',
  async ({ ms, pause }, { onTestFinished }) => {
    const server = await startServer(onTestFinished, {
      faults: [{ on: 'provisionConnect', nth: 1, action: 'refuse', code: 3 }],
    });
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning: { max_retries: 1 } });
    const context = await cutIn(paths, 'backoff');
    const retryAt = (context.retryAt ?? 0) + ms;
    await storeSnapshot(paths, 'backoff', {
      ...context,
      retryAt,
      now: context.now + ms,
      startedAt: context.startedAt + ms,
    });
    const run = await runDevice(paths);
    expect(run.outcome).toBe('provisioned');
    expect(run.pauses).toEqual([pause]);
    expect(await provisionedProblems(paths, server)).toEqual([]);
  },
);

it.for([
  { name: 'forwards', ms: YEARS_MS },
  { name: 'backwards', ms: -YEARS_MS },
])(
  'the clock jumps $name between a lost answer and the next boot, which finds the name taken: no endless wait',
  async ({ ms }, { onTestFinished }) => {
    const server = await startServer(onTestFinished, {
      faults: [{ on: 'request', nth: 1, action: 'close' }],
    });
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning: { max_retries: 3 } });
    const context = await cutIn(paths, 'reconcile');
    expect(context.unknownAt).not.toBeNull();
    server.registry.addDevice({ name: context.deviceName ?? '' });
    // The recorded times are from before the jump.
    const shifted = { now: context.now - ms, unknownAt: (context.unknownAt ?? 0) - ms };
    await storeSnapshot(paths, 'reconcile', { ...context, ...shifted });
    const run = await runDevice(paths);
    expect(run.outcome).toBe('provisioned');
    expect(run.deviceName).not.toBe(context.deviceName);
    expect(run.pauses.reduce((sum, pause) => sum + pause, 0)).toBeLessThan(60_000);
    expect(Math.min(...run.pauses)).toBeGreaterThanOrEqual(0);
    expect(await provisionedProblems(paths, server, 2)).toEqual([]);
  },
);
