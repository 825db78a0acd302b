import { setImmediate as flush } from 'node:timers/promises';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { telemetryMachine } from '../../machines/telemetry.machine.ts';
import type { OpenConnection, Publication } from '../../machines/telemetry.types.ts';
import { Failure } from '../../src/failures/failure.ts';
import { operationServer } from '../../src/failures/serverFacts.ts';

export const SERVER = operationServer({ host: 'tb.test', port: 1883 });
export const CONNECTION: OpenConnection = { server: 'server:1883', deviceId: 'camera', intervalMs: 15_000 };

export const never = <T>(): Promise<T> => new Promise(() => {});
export const lost = (): Promise<never> => Promise.reject(new Failure('CONNECTION_LOST', 'sessionClosed', SERVER));
export const refused = (): Promise<never> =>
  Promise.reject(new Failure('CREDENTIALS_REFUSED', 'refused', { ...SERVER, why: 'no', returnCode: 5 }));

export interface Stubs {
  connect?: () => Promise<OpenConnection>;
  hold?: () => Promise<never>;
  publish?: () => Promise<Publication>;
  disconnect?: () => Promise<void>;
  requests?: () => Promise<void>;
  spread?: number;
}

/** The chart in simulated time, with every effect counted. */
export function start(stubs: Stubs = {}) {
  const clock = new SimulatedClock();
  const calls = { connect: [] as number[], publish: [] as number[], disconnect: 0, retries: [] as number[] };
  const machine = telemetryMachine.provide({
    actors: {
      connect: fromPromise(() => {
        calls.connect.push(clock.now());
        return (stubs.connect ?? (() => Promise.resolve(CONNECTION)))();
      }),
      holdConnection: fromPromise(stubs.hold ?? (() => never<never>())),
      publishTelemetry: fromPromise(() => {
        calls.publish.push(clock.now());
        return (stubs.publish ?? (() => Promise.resolve({ messages: 2, elapsedMs: 0 })))();
      }),
      answerRequests: fromPromise(stubs.requests ?? (() => never<void>())),
      disconnect: fromPromise(() => {
        calls.disconnect += 1;
        return (stubs.disconnect ?? (() => Promise.resolve()))();
      }),
    },
    actions: {
      reportRetry: (_, { delayMs }) => calls.retries.push(delayMs),
    },
  });
  const actor = createActor(machine, { clock, input: { spread: stubs.spread ?? 1 } });
  actor.start();
  const advance = async (ms: number): Promise<void> => {
    clock.increment(ms);
    await flush();
  };
  return { actor, clock, calls, advance, state: () => actor.getSnapshot().value };
}
