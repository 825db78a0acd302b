import { setImmediate as flush } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnyStateNode, createActor } from 'xstate';
import { backoffMs, telemetryMachine } from '../../machines/telemetry.machine.ts';
import { Failure } from '../../src/failures/failure.ts';
import { lost, never, refused, SERVER, type Stubs, start } from './telemetryRun.ts';

describe('the telemetry chart', () => {
  it('connects, publishes at once and then once an interval', async () => {
    const run = start();
    expect(run.state()).toBe('connecting');
    await flush();
    expect(run.state()).toEqual({ publishing: 'pausing' });
    await run.advance(14_999);
    expect(run.calls.publish).toEqual([0]);
    await run.advance(1);
    for (let round = 0; round < 3; round += 1) await run.advance(15_000);
    expect(run.calls.publish).toEqual([0, 15_000, 30_000, 45_000, 60_000]);
    expect(run.calls.connect).toEqual([0]);
    expect(run.actor.getSnapshot().context).toMatchObject({ messages: 10, connections: 1 });
  });

  it('counts the interval from the start of the last publication', async () => {
    const run = start({ publish: () => Promise.resolve({ messages: 1, elapsedMs: 4_000 }) });
    await flush();
    await run.advance(10_999);
    expect(run.calls.publish).toHaveLength(1);
    await run.advance(1);
    expect(run.calls.publish).toHaveLength(2);
  });

  it('starts the next publication at once after one that took longer than the interval', async () => {
    const run = start({ publish: () => Promise.resolve({ messages: 1, elapsedMs: 40_000 }) });
    await flush();
    await run.advance(0);
    expect(run.calls.publish).toHaveLength(2);
    run.actor.stop();
  });

  it('waits 1, 2, 4 s and so on, at most 60 s, between attempts, and never stops', async () => {
    const run = start({ connect: lost });
    await flush();
    const pauses = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60];
    for (const seconds of pauses) {
      expect(run.state()).toBe('waiting');
      const before = run.calls.connect.length;
      await run.advance(seconds * 1000 - 1);
      expect(run.calls.connect).toHaveLength(before);
      await run.advance(1);
      expect(run.calls.connect).toHaveLength(before + 1);
    }
    expect(run.calls.retries.slice(0, 3)).toEqual([1_000, 2_000, 4_000]);
  });

  it('shortens each pause by the factor of this process and logs the true pause', async () => {
    const run = start({ connect: lost, spread: 0.5 });
    await flush();
    await run.advance(499);
    expect(run.calls.connect).toHaveLength(1);
    await run.advance(1);
    expect(run.calls.connect).toHaveLength(2);
    expect(run.calls.retries).toEqual([500, 1_000]);
  });

  it('keeps every pause between one second and one minute, before the factor', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (failures) => {
        expect(backoffMs(failures)).toBeGreaterThanOrEqual(1_000);
        expect(backoffMs(failures)).toBeLessThanOrEqual(60_000);
      }),
    );
  });

  it('forgets failures once a connection has lasted a minute, not before', async () => {
    const losses: Array<() => void> = [];
    const run = start({
      hold: () =>
        new Promise<never>((_, reject) => {
          losses.push(() => reject(new Failure('CONNECTION_LOST', 'sessionClosed', SERVER)));
        }),
    });
    const lose = async (): Promise<void> => {
      losses.at(-1)?.();
      await flush();
      expect(run.state()).toBe('waiting');
    };
    await flush();
    await lose();
    await run.advance(1_000);
    await run.advance(59_999);
    await lose();
    expect(run.actor.getSnapshot().context.failuresInARow).toBe(2);
    await run.advance(2_000);
    await run.advance(60_000);
    expect(run.actor.getSnapshot().context).toMatchObject({ failuresInARow: 0, lastFailure: null });
    await lose();
    expect(run.calls.retries).toEqual([1_000, 2_000, 1_000]);
  });

  it('reconnects when a publication fails finally', async () => {
    const run = start({
      publish: () => Promise.reject(new Failure('ANSWER_TIMEOUT', 'notAcknowledged', { ...SERVER, seconds: 20 })),
    });
    await flush();
    expect(run.state()).toBe('waiting');
    expect(run.actor.getSnapshot().context.lastFailure).toMatchObject({ code: 'ANSWER_TIMEOUT' });
    await run.advance(1_000);
    expect(run.calls.connect).toHaveLength(2);
  });

  it('counts a lost connection once, although the running publication fails too', async () => {
    const run = start({ hold: lost, publish: lost });
    await flush();
    expect(run.actor.getSnapshot().context.failuresInARow).toBe(1);
  });

  it('tries refused credentials once a minute', async () => {
    const run = start({ connect: refused });
    await flush();
    expect(run.state()).toBe('refused');
    expect(run.actor.getSnapshot().context.lastFailure).toEqual({
      code: 'CREDENTIALS_REFUSED',
      message: 'tb.test:1883 refused the connection: no (CONNACK 5)',
      hint: expect.stringContaining('provision the device again'),
    });
    await run.advance(59_999);
    expect(run.calls.connect).toHaveLength(1);
    await run.advance(1);
    expect(run.calls.connect).toHaveLength(2);
    expect(run.calls.retries).toEqual([]);
  });

  it.each([['a text'], [null], [undefined], [{}]])('waits and retries when an effect throws %j', async (thrown) => {
    const run = start({ connect: () => Promise.reject(thrown) });
    await flush();
    expect(run.state()).toBe('waiting');
    expect(run.actor.getSnapshot().context.lastFailure?.code).toBe('INTERNAL');
  });

  describe('STOP', () => {
    const places: Array<[string, Stubs]> = [
      ['connecting', { connect: () => never() }],
      ['sending', { publish: () => never() }],
      ['pausing', {}],
      ['waiting', { connect: lost }],
      ['refused', { connect: refused }],
    ];
    it.each(places)('ends the chart while %s, once the session is closed', async (place, stubs) => {
      const run = start(stubs);
      await flush();
      expect(JSON.stringify(run.state())).toContain(place);
      run.actor.send({ type: 'STOP' });
      expect(run.state()).toBe('stopping');
      await flush();
      expect(run.state()).toBe('stopped');
      expect(run.actor.getSnapshot().status).toBe('done');
      expect(run.calls.disconnect).toBe(1);
      await run.advance(600_000);
      expect(run.calls.connect).toHaveLength(1);
    });

    it('waits one second at most, and does not start again at a second STOP', async () => {
      const run = start({ disconnect: () => never() });
      await flush();
      run.actor.send({ type: 'STOP' });
      await run.advance(600);
      run.actor.send({ type: 'STOP' });
      expect(run.calls.disconnect).toBe(1);
      await run.advance(399);
      expect(run.state()).toBe('stopping');
      await run.advance(1);
      expect(run.state()).toBe('stopped');
    });

    it('ends also when closing fails', async () => {
      const run = start({ disconnect: lost });
      await flush();
      run.actor.send({ type: 'STOP' });
      await flush();
      expect(run.state()).toBe('stopped');
    });
  });

  it('publishes 5,760 times in 24 hours and keeps nothing that grows', async () => {
    const run = start();
    await flush();
    const before = JSON.stringify(run.actor.getPersistedSnapshot()).length;
    for (let round = 1; round < 5_760; round += 1) await run.advance(15_000);
    expect(run.calls.publish).toHaveLength(5_760);
    expect(JSON.stringify(run.actor.getPersistedSnapshot()).length).toBeLessThan(before + 100);
  });

  it('rejects where an effect is not provided', async () => {
    const actor = createActor(telemetryMachine, { input: { spread: 1 } });
    actor.start();
    await flush();
    expect(actor.getSnapshot().context.lastFailure?.message).toBe('effect not provided');
    actor.stop();
  });

  it('describes every state and implements every name that it uses', () => {
    const { actors, actions, guards, delays } = telemetryMachine.implementations;
    const names: string[] = [];
    const visit = (node: AnyStateNode): void => {
      expect(node.description, node.id).toBeTruthy();
      for (const { src } of node.invoke) expect(actors).toHaveProperty([String(src)]);
      for (const { delay } of node.after) expect(delays).toHaveProperty([String(delay)]);
      const transitions = [...node.transitions.values()].flat();
      for (const action of [...node.entry, ...transitions.flatMap((transition) => transition.actions)]) {
        // xstate's own timers are functions.
        if (typeof action === 'function') continue;
        const name = typeof action === 'string' ? action : action.type;
        expect(actions).toHaveProperty([name]);
        names.push(name);
      }
      for (const { guard } of transitions) {
        if (typeof guard === 'object') expect(guards).toHaveProperty([guard.type]);
      }
      Object.values(node.states).forEach(visit);
    };
    visit(telemetryMachine.root);
    expect(new Set(names)).toEqual(new Set(Object.keys(actions)));
  });
});
