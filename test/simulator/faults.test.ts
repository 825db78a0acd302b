import { describe, expect, test } from 'vitest';
import type { SimulatorEvent } from '../../src/simulator/events.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import { FaultScript } from '../../src/simulator/faults.ts';
import { parseFault } from '../../src/simulator/faultText.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { until } from '../support/until.ts';
import {
  connected,
  KEYS,
  open,
  openDevice,
  openProvision,
  REQUEST,
  RESPONSE,
  type RecordedClient,
  simulate,
  wait,
} from './mqttClients.ts';

const QUIET_MS = 80;

async function send(simulator: Simulator, deviceName = 'cam'): Promise<RecordedClient> {
  const recorded = await openProvision(simulator);
  recorded.client.publish(REQUEST, JSON.stringify({ ...KEYS, deviceName, token: `token-${deviceName}` }), { qos: 1 });
  return recorded;
}

const closed = (recorded: RecordedClient): Promise<unknown> => until(() => recorded.received.includes('close'));
const exists = (simulator: Simulator): boolean => simulator.registry.find('cam') !== undefined;

describe('on a request', () => {
  const withFault = (fault: Fault): Promise<Simulator> => simulate({ faults: [fault], provisionSessionCloseMs: 5000 });

  test('close: nothing committed, no PUBACK', async () => {
    const simulator = await withFault({ on: 'request', action: 'close' });
    const recorded = await send(simulator);
    await closed(recorded);
    expect(recorded.received).toEqual(['connack:0', 'close']);
    expect(exists(simulator)).toBe(false);
    expect(simulator.registry.counts).toMatchObject({ provisionRequests: 1, faults: 1 });
  });

  test('silence: nothing committed, nothing sent, the connection stays open', async () => {
    const simulator = await withFault({ on: 'request', action: 'silence' });
    const recorded = await send(simulator);
    await wait(QUIET_MS);
    expect(recorded.received).toEqual(['connack:0']);
    expect(exists(simulator)).toBe(false);
  });

  test('dropAnswer: committed, nothing sent, the connection stays open', async () => {
    const simulator = await withFault({ on: 'request', action: 'dropAnswer' });
    const recorded = await send(simulator);
    await until(() => exists(simulator));
    await wait(QUIET_MS);
    expect(recorded.received).toEqual(['connack:0']);
  });

  test('dropAnswerAndClose: committed, closed without PUBACK; the token works', async () => {
    const simulator = await withFault({ on: 'request', action: 'dropAnswerAndClose' });
    const recorded = await send(simulator);
    await closed(recorded);
    expect(recorded.received).toEqual(['connack:0', 'close']);
    expect((await openDevice(simulator, 'token-cam')).received).toEqual(['connack:0']);
  });

  test('pubackOnly: committed, PUBACK, no answer', async () => {
    const simulator = await withFault({ on: 'request', action: 'pubackOnly' });
    const recorded = await send(simulator);
    await until(() => recorded.received.includes('puback'));
    await wait(QUIET_MS);
    expect(recorded.received).toEqual(['connack:0', 'puback']);
    expect(exists(simulator)).toBe(true);
  });

  test('delay: the answer comes later', async () => {
    const simulator = await withFault({ on: 'request', action: 'delay', ms: 150 });
    const sentAt = performance.now();
    const recorded = await send(simulator);
    await until(() => recorded.payloads[0]);
    expect(performance.now() - sentAt).toBeGreaterThan(140);
  });

  test('malformedAnswer: not JSON', async () => {
    const recorded = await send(await withFault({ on: 'request', action: 'malformedAnswer' }));
    const { text } = await until(() => recorded.payloads[0]);
    expect(text).toMatch(/^\{"credentialsValue"/);
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
  });

  test('answer: the given payload with any bytes', async () => {
    const payload = new Uint8Array([0xff, 0x00]);
    const recorded = await send(await withFault({ on: 'request', action: 'answer', payload }));
    const { text } = await until(() => recorded.payloads[0]);
    expect(text).toBe(Buffer.from(payload).toString());
  });

  test('duplicateAnswer: the answer arrives twice', async () => {
    const recorded = await send(await withFault({ on: 'request', action: 'duplicateAnswer' }));
    await until(() => recorded.payloads.length === 2);
    expect(recorded.payloads[0]).toEqual(recorded.payloads[1]);
  });

  test.each([
    [undefined, `${RESPONSE}/other`],
    ['else/where', 'else/where'],
  ])('answerOnOtherTopic %s', async (topic, expected) => {
    const recorded = await send(
      await withFault({ on: 'request', action: 'answerOnOtherTopic', ...(topic === undefined ? {} : { topic }) }),
    );
    expect((await until(() => recorded.payloads[0])).topic).toBe(expected);
  });

  test('answerThenClose: the complete answer arrives, then the close', async () => {
    const recorded = await send(await withFault({ on: 'request', action: 'answerThenClose' }));
    await closed(recorded);
    expect(recorded.received).toEqual(['connack:0', 'puback', `publish:${RESPONSE}`, 'close']);
  });

  test('applies only the nth time', async () => {
    const simulator = await withFault({ on: 'request', nth: 2, action: 'close' });
    const [first, second, third] = [await send(simulator, 'a'), await send(simulator, 'b'), await send(simulator, 'c')];
    await until(() => first.payloads[0]);
    await closed(second);
    await until(() => third.payloads[0]);
  });
});

describe('on a CONNECT', () => {
  test('close: no CONNACK', async () => {
    const simulator = await simulate({ faults: [{ on: 'connect', action: 'close' }] });
    const recorded = open(simulator.url, { username: 'provision' });
    await closed(recorded);
    expect(recorded.received).toEqual(['close']);
  });

  test.each([2, 3, 4, 5] as const)('refuse: CONNACK %i, then closed', async (code) => {
    const simulator = await simulate({ faults: [{ on: 'provisionConnect', action: 'refuse', code }] });
    const recorded = await openProvision(simulator);
    await closed(recorded);
    expect(recorded.received).toEqual([`connack:${code}`, 'close']);
  });

  test('stallConnack: later, or never', async () => {
    const simulator = await simulate({
      faults: [
        { on: 'connect', nth: 1, action: 'stallConnack', ms: 100 },
        { on: 'connect', action: 'stallConnack' },
      ],
    });
    const startedAt = performance.now();
    expect((await openProvision(simulator)).received).toEqual(['connack:0']);
    expect(performance.now() - startedAt).toBeGreaterThan(90);
    const never = open(simulator.url, { username: 'provision' });
    await wait(150);
    expect(never.received).toEqual([]);
  });

  test('acceptThenClose: CONNACK 0, then closed', async () => {
    const devices = [{ name: 'cam', credentials: { type: 'ACCESS_TOKEN', token: 't' } }] as const;
    const simulator = await simulate({ devices, faults: [{ on: 'deviceConnect', nth: 1, action: 'acceptThenClose' }] });
    const recorded = await openDevice(simulator, 't');
    await closed(recorded);
    expect(recorded.received).toEqual(['connack:0', 'close']);
    expect((await openDevice(simulator, 't')).received).toEqual(['connack:0']);
  });

  test('deviceConnect does not affect provisioning', async () => {
    const simulator = await simulate({ faults: [{ on: 'deviceConnect', action: 'refuse', code: 3 }] });
    expect((await openProvision(simulator)).received).toEqual(['connack:0']);
    expect((await connected(simulator.url, { username: 'x' })).received).toContain('connack:3');
  });
});

describe('on messages of a device', () => {
  const devices = [{ name: 'cam', credentials: { type: 'ACCESS_TOKEN', token: 't' } }] as const;

  test('attributeRequest: PUBACK, but never an answer', async () => {
    const simulator = await simulate({ devices, faults: [{ on: 'attributeRequest', action: 'pubackOnly' }] });
    const recorded = await openDevice(simulator, 't');
    await recorded.client.publishAsync('v1/devices/me/attributes/request/1', '{"clientKeys":"x"}', { qos: 1 });
    await wait(QUIET_MS);
    expect(recorded.received).toEqual(['connack:0', 'puback']);
  });

  test.each([
    ['telemetry', 'v1/devices/me/telemetry'],
    ['attributes', 'v1/devices/me/attributes'],
  ] as const)('%s: stored, closed without PUBACK', async (on, topic) => {
    const simulator = await simulate({ devices, faults: [{ on, action: 'dropAnswerAndClose' }] });
    const recorded = await openDevice(simulator, 't');
    recorded.client.publish(topic, '{"x":1}', { qos: 1 });
    await closed(recorded);
    expect(recorded.received).toEqual(['connack:0', 'close']);
    expect([simulator.registry.telemetry('cam')[0], simulator.registry.attributes('cam')]).toContainEqual({ x: 1 });
  });
});

test('a fault can be added while the simulator runs, and emits an event', async () => {
  const events: SimulatorEvent[] = [];
  const simulator = await simulate({ onEvent: (event) => events.push(event) });
  await send(simulator, 'a');
  await until(() => simulator.registry.find('a'));
  simulator.addFault({ on: 'request', nth: 2, action: 'close' });
  await closed(await send(simulator, 'b'));
  expect(events).toContainEqual({ session: 0, type: 'fault', on: 'request', nth: 2, action: 'close' });
});

describe('FaultScript', () => {
  test('counts each point separately, and "connect" in addition to the specific points', () => {
    const script = new FaultScript([
      { on: 'connect', nth: 3, action: 'close' },
      { on: 'deviceConnect', nth: 2, andLater: true, action: 'refuse', code: 3 },
    ]);
    const kinds = ['provisionConnect', 'deviceConnect', 'provisionConnect', 'deviceConnect', 'deviceConnect'] as const;
    expect(kinds.map((kind) => script.nextConnect(kind)?.action)).toEqual([
      undefined,
      undefined,
      'close',
      'refuse',
      'refuse',
    ]);
  });

  test('the first fault in the list has priority', () => {
    const script = new FaultScript([
      { on: 'request', nth: 1, action: 'silence' },
      { on: 'request', action: 'close' },
    ]);
    expect(script.nextMessage('request')?.action).toBe('silence');
    expect(script.nextMessage('request')?.action).toBe('close');
    expect(script.nextMessage('telemetry')).toBeUndefined();
  });
});

describe('text form', () => {
  test.each<[string, Fault]>([
    ['request=close', { on: 'request', action: 'close' }],
    ['request#2=dropAnswerAndClose', { on: 'request', nth: 2, action: 'dropAnswerAndClose' }],
    ['deviceConnect#3+=refuse:3', { on: 'deviceConnect', nth: 3, andLater: true, action: 'refuse', code: 3 }],
    ['connect=stallConnack', { on: 'connect', action: 'stallConnack' }],
    ['connect=stallConnack:50', { on: 'connect', action: 'stallConnack', ms: 50 }],
    ['provisionConnect=acceptThenClose:0', { on: 'provisionConnect', action: 'acceptThenClose', ms: 0 }],
    ['request=delay:5000', { on: 'request', action: 'delay', ms: 5000 }],
    ['telemetry=silenceThenPubackAndClose', { on: 'telemetry', action: 'silenceThenPubackAndClose' }],
    ['request=answer:{"a":"b=c:d"}', { on: 'request', action: 'answer', payload: '{"a":"b=c:d"}' }],
    ['request=answer:', { on: 'request', action: 'answer', payload: '' }],
    ['request=answerOnOtherTopic', { on: 'request', action: 'answerOnOtherTopic' }],
    ['request=answerOnOtherTopic:a/b', { on: 'request', action: 'answerOnOtherTopic', topic: 'a/b' }],
  ])('%s', (text, fault) => {
    expect(parseFault(text)).toEqual(fault);
  });

  test.each([
    'request',
    'request=',
    'reqest=close',
    'request#0=close',
    'request#x=close',
    'request=close:1',
    'request=refuse:3',
    'connect=dropAnswer',
    'connect=close:1',
    'connect=refuse',
    'connect=refuse:1',
    'connect=stallConnack:-1',
    'request=delay',
    'request=delay:99999999',
    'request=answer',
    'request=explode',
  ])('"%s" is refused, with the reason', (text) => {
    expect(() => parseFault(text)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(text) }),
    );
  });
});
