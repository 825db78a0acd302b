import { setImmediate as flush } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type RpcMethods, type RpcResult, refused } from '../../../src/client/rpc/methods.ts';
import { createRequestQueue } from '../../../src/client/rpc/requestQueue.ts';
import type { ThingsboardSession } from '../../../src/client/thingsboardSession.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { recordingLog } from '../testBroker.ts';

interface Gate {
  open(result?: RpcResult): void;
  readonly result: Promise<RpcResult>;
}

function gate(): Gate {
  let open: Gate['open'] = () => {};
  const result = new Promise<RpcResult>((resolve) => {
    open = (given = { answer: '"done"' }) => resolve(given);
  });
  return { open, result };
}

/** A session that notes the answers. */
function fakeSession(publish: () => Promise<void> = async () => {}) {
  const answers: string[] = [];
  let receive: (topic: string, payload: Uint8Array) => void = () => {};
  const session: ThingsboardSession = {
    server: 'tb.test:1883',
    subscribe: async (_filter, onMessage) => {
      receive = onMessage;
    },
    publish: async (topic, payload, _signal, acknowledged) => {
      expect(acknowledged).toBe(true);
      await publish();
      answers.push(`${topic.replace('v1/devices/me/rpc/response/', '')} ${payload}`);
    },
    ended: new Promise(() => {}),
    close: async () => {},
  };
  const send = (id: string | number, payload: string = JSON.stringify({ method: 'work', params: {} })): void =>
    receive(`v1/devices/me/rpc/request/${id}`, Buffer.from(payload));
  return { session, answers, send };
}

async function serving(methods: RpcMethods, publish?: () => Promise<void>, methodMs = 5_000) {
  const log = recordingLog();
  const queue = createRequestQueue({ methods, log, clock: systemClock(), methodMs });
  const fake = fakeSession(publish);
  await queue.serve(fake.session);
  const over = { requested: false };
  void queue.runRequested.then(() => {
    over.requested = true;
  });
  return { ...fake, queue, log, over };
}

describe('the queue of requests', () => {
  it('does one request at a time, in order, and ignores what exceeds ten waiting ones', async () => {
    const gates: Gate[] = [];
    const { send, answers, log } = await serving({
      work: () => {
        gates.push(gate());
        return gates.at(-1)?.result ?? Promise.reject(new Error('no gate'));
      },
    });
    for (let id = 1; id <= 5_000; id += 1) send(id);
    await flush();
    expect(gates).toHaveLength(1);
    for (let done = 1; done <= 11; done += 1) {
      gates.at(-1)?.open();
      await flush();
    }
    expect(answers).toEqual(Array.from({ length: 11 }, (_, index) => `${index + 1} "done"`));
    expect(gates).toHaveLength(11);
    expect(log.of('rpc.refused')).toHaveLength(1);
  });

  it('does a request once that the server delivers twice', async () => {
    const held = gate();
    let calls = 0;
    const { send, answers } = await serving({
      work: () => {
        calls += 1;
        return held.result;
      },
    });
    send(7);
    send(7);
    held.open();
    await flush();
    expect([calls, answers]).toEqual([1, ['7 "done"']]);
  });

  it('takes nothing after a request for a new run, and reports it when the answer has left', async () => {
    const left = gate();
    let calls = 0;
    const { send, answers, over } = await serving(
      {
        work: async () => {
          calls += 1;
          return { answer: '"new"', ends: true };
        },
      },
      async () => void (await left.result),
    );
    send(1);
    send(2);
    await flush();
    expect([over.requested, calls]).toEqual([false, 1]);
    left.open();
    await flush();
    send(3);
    await flush();
    expect([over.requested, calls, answers]).toEqual([true, 1, ['1 "new"']]);
  });

  it('reports a request for a new run although its answer can not be sent', async () => {
    const { send, over, log } = await serving({ work: async () => ({ answer: '"new"', ends: true }) }, () =>
      Promise.reject(new Error('the session is lost')),
    );
    send(1);
    await flush();
    expect(over.requested).toBe(true);
    expect(log.of('rpc.unanswered')).toMatchObject([{ message: expect.stringContaining('the session is lost') }]);
  });

  it.each(['', 'x', '-1', '1/2', '1e3', '99999999999'])(
    'ignores the request id "%s", for which the server would close the session',
    async (id) => {
      const { send, answers, log } = await serving({ work: async () => ({ answer: '"done"' }) });
      send(id);
      send(1);
      await flush();
      expect(answers).toEqual(['1 "done"']);
      expect(log.of('rpc.refused')).toHaveLength(1);
    },
  );

  it('answers "too late" after its limit, calls no second method meanwhile, and recovers', async () => {
    const stuck = gate();
    let calls = 0;
    const methods = {
      work: () => {
        calls += 1;
        return stuck.result;
      },
    };
    const { send, answers, over } = await serving(methods, undefined, 20);
    send(1);
    await expect.poll(() => answers.length).toBe(1);
    send(2);
    await flush();
    expect(calls).toBe(1);
    expect(answers.every((answer) => answer.includes('"too late"'))).toBe(true);
    stuck.open({ answer: '"done"' });
    await flush();
    send(3);
    await flush();
    expect([calls, answers.length, answers[2], over.requested]).toEqual([2, 3, '3 "done"', false]);
  });

  it('reports a request for a new run also if its method was late', async () => {
    const stuck = gate();
    const { send, answers, over } = await serving({ work: () => stuck.result }, undefined, 20);
    send(1);
    await expect.poll(() => answers.length).toBe(1);
    stuck.open({ answer: '"new"', ends: true });
    await flush();
    expect(over.requested).toBe(true);
  });

  it('takes nothing after the close, and reports no request for a new run', async () => {
    const held = gate();
    const { send, queue, answers, over } = await serving({ work: () => held.result });
    send(1);
    send(2);
    queue.close();
    held.open({ answer: '"new"', ends: true });
    await flush();
    send(3);
    await flush();
    expect([answers, over.requested]).toEqual([['1 "new"'], false]);
  });

  it('logs why a request was refused, and when the server refuses the subscription', async () => {
    const refusal = { reason: 'not allowed', message: 'No', hint: 'Ask' } as const;
    const { send, log, answers, queue, session } = await serving({ work: async () => refused(refusal) });
    send(4);
    await flush();
    expect(answers).toEqual([`4 ${JSON.stringify({ error: refusal })}`]);
    expect(log.of('rpc.refused')).toMatchObject([{ message: 'Refused request 4: No' }]);
    await queue.serve({ ...session, subscribe: () => Promise.reject(new Error('0x80')) });
    expect(log.of('rpc.not-subscribed')).toMatchObject([{ message: expect.stringContaining('0x80') }]);
  });
});
