import { setImmediate as flush } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { lost, refused, start } from './telemetryRun.ts';

describe('the telemetry chart', () => {
  it.each([
    ['connected', {}],
    ['not connected', { connect: lost }],
    ['refused', { connect: refused }],
  ])('stops when a request of the server asks for a new run, also while %s', async (_, stubs) => {
    let request = (): void => {};
    const requests = (): Promise<void> =>
      new Promise((resolve) => {
        request = resolve;
      });
    const run = start({ ...stubs, requests });
    await flush();
    expect(run.actor.getSnapshot().context.runRequested).toBe(false);
    request();
    await flush();
    expect(run.state()).toBe('stopped');
    expect(run.calls.disconnect).toBe(1);
    expect(run.actor.getSnapshot().context.runRequested).toBe(true);
  });

  it('does not count as asked for a new run when it is stopped', async () => {
    const run = start();
    await flush();
    run.actor.send({ type: 'STOP' });
    await flush();
    expect(run.actor.getSnapshot()).toMatchObject({ value: 'stopped', context: { runRequested: false } });
  });
});
