import { test } from 'vitest';
import { Secret } from '../../src/secret.ts';
import type { SimulatorEvent } from '../../src/simulator/events.ts';
import type { Fault, MessageAction } from '../../src/simulator/faults.ts';
import { runDevice, scene } from '../support/agentRun.ts';
import { configuredDevice, provisionedProblems } from '../support/provisionedDevice.ts';

const SUCCESS_WITHOUT_TOKEN = '{"credentialsValue":"","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}';
/** A FAILURE although the request was carried out, as after a lost race on a cluster. */
const FAILURE = '{"errorMsg":"Failed to provision device!","status":"FAILURE"}';

/** The fault of the first request, and the number of requests that the run then needs. */
const CASES: readonly (readonly [what: string, fault: MessageAction, requests: number])[] = [
  ['closed without being carried out', { action: 'close' }, 2],
  ['not carried out, no answer', { action: 'silence' }, 2],
  ['not carried out, PUBACK, closed', { action: 'silenceThenPubackAndClose', ms: 50 }, 2],
  ['carried out, no answer', { action: 'dropAnswer' }, 1],
  ['carried out, closed without an answer', { action: 'dropAnswerAndClose' }, 1],
  ['carried out, PUBACK only', { action: 'pubackOnly' }, 1],
  ['carried out, answered too late', { action: 'delay', ms: 1200 }, 1],
  ['carried out, half of the answer', { action: 'malformedAnswer' }, 1],
  ['carried out, answered twice', { action: 'duplicateAnswer' }, 1],
  ['carried out, answered on another topic', { action: 'answerOnOtherTopic' }, 1],
  ['carried out, answered, closed at once', { action: 'answerThenClose' }, 1],
  ['carried out, answered with random bytes', { action: 'answer', payload: new Uint8Array([0xff, 0, 0xfe]) }, 1],
  ['carried out, answered with 60 kB', { action: 'answer', payload: `"${'x'.repeat(60_000)}"` }, 1],
  ['carried out, SUCCESS without credentials', { action: 'answer', payload: SUCCESS_WITHOUT_TOKEN }, 1],
  ['carried out, but FAILURE', { action: 'answer', payload: FAILURE }, 1],
];

test.concurrent.for(CASES)('the first request is %s: one device', async ([_what, action, requests], context) => {
  const { expect, onTestFinished } = context;
  const fault: Fault = { on: 'request', nth: 1, ...action };
  const { simulator, paths } = await scene({ faults: [fault] }, {}, onTestFinished);
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'provisioned', exitStatus: 0 });
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
  expect(simulator.registry.counts).toMatchObject({ faults: 1, provisionRequests: requests });
});

test.concurrent('an outcome that stays unknown ends the run after its retries, 1, 2 and 4 s apart', async ({
  expect,
  onTestFinished,
}) => {
  const { simulator, paths } = await scene({ faults: [{ on: 'request', action: 'close' }] }, {}, onTestFinished);
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 69, failure: { code: 'CONNECTION_LOST' } });
  expect(run.pauses).toEqual([1000, 2000, 4000]);
  expect(simulator.registry.counts.provisionRequests).toBe(4);
  expect(simulator.registry.size).toBe(0);
});

test.concurrent('a request that was carried out late, after the run had failed, is found by the next start: one device', async ({
  expect,
  onTestFinished,
}) => {
  const { simulator, paths } = await scene(
    { commitDelayMs: 1400 },
    { provisioning: { max_retries: 0 } },
    onTestFinished,
  );
  const { deviceName, outcome } = await runDevice(paths);
  expect(outcome).toBe('failed');
  await expect.poll(() => simulator.registry.size).toBe(1);
  expect(await runDevice(paths)).toMatchObject({ outcome: 'provisioned', deviceName });
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test.concurrent('a later probe finds the slow commit of a request that timed out', async ({
  expect,
  onTestFinished,
}) => {
  const { simulator, paths } = await scene({ commitDelayMs: 1400 }, {}, onTestFinished);
  const run = await runDevice(paths);
  expect(run.outcome).toBe('provisioned');
  expect(run.of('request.unknown').length).toBeGreaterThan(0);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test.concurrent('a second request that overtakes the commit of the first gets FAILURE, and it is still one device', async ({
  expect,
  onTestFinished,
}) => {
  const controller = new AbortController();
  const seen: SimulatorEvent[] = [];
  const onEvent = (event: SimulatorEvent): void => {
    seen.push(event);
    if (event.type === 'request' && event.nth === 1) controller.abort(new Error('interrupted by the test'));
  };
  const { simulator, paths } = await scene({ onEvent, commitDelayMs: 400 }, {}, onTestFinished);
  const cut = await runDevice(paths, { signal: controller.signal });
  const run = await runDevice(paths);
  expect([cut.outcome, run.outcome]).toEqual(['interrupted', 'provisioned']);
  const told = seen.flatMap((event) => (event.type === 'answer' ? [event.status] : []));
  expect(told).toEqual(['FAILURE']);
  expect(run.of('reconcile.accepted')).toHaveLength(1);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test.concurrent('the server accepts the credentials but not at once', async ({ expect, onTestFinished }) => {
  const refusal: Fault = { on: 'deviceConnect', nth: 1, action: 'refuse', code: 3 };
  const close: Fault = { on: 'attributeRequest', nth: 1, action: 'close' };
  const { simulator, paths } = await scene({ faults: [refusal, close] }, {}, onTestFinished);
  const run = await runDevice(paths);
  expect(run.outcome).toBe('provisioned');
  expect(run.of('backoff.waiting').map(({ details }) => details.code)).toEqual([
    'SERVER_UNAVAILABLE',
    'CONNECTION_LOST',
  ]);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test.concurrent('an answer with a garbled token: the token that the device generated is tested and used', async ({
  expect,
  onTestFinished,
}) => {
  const text = '{"credentialsValue":"garbled0000000000000","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}';
  const { simulator, paths } = await scene(
    { faults: [{ on: 'request', action: 'answer', payload: text }] },
    {},
    onTestFinished,
  );
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'provisioned', exitStatus: 0 });
  expect(run.of('verify.ownToken')).toHaveLength(1);
  const { token } = await configuredDevice(paths);
  expect(new Secret(token).fingerprint()).toBe(run.of('run.provisioned')[0]?.details.token);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});
