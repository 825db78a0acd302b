/** Runs the chart of normal operation for simulated days, over a connection in memory that is sometimes lost. */

import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { telemetryMachine } from '../../../../machines/telemetry.machine.ts';
import type { OpenConnection, Publication } from '../../../../machines/telemetry.types.ts';
import { Failure } from '../../../../src/failures/failure.ts';
import { operationServer } from '../../../../src/failures/serverFacts.ts';
import { growthProblems, type Sample, takeSample } from './heapSamples.ts';
import type { SoakResult } from './soakResult.ts';

const INTERVAL_MS = 15_000;
const HOUR_MS = 3_600_000;
/** Every 97th publication fails, every 7th connection is refused, and a connection is lost after 20 minutes. */
const FAILING_PUBLICATION = 97;
const REFUSED_CONNECTION = 7;
const LOST_AFTER_MS = 20 * 60_000;
const SERVER = operationServer({ host: 'memory', port: 1883 });
const CONNECTION: OpenConnection = { server: 'memory:1883', deviceId: 'camera', intervalMs: INTERVAL_MS };

/** Counts the pending timers. */
class CountingClock extends SimulatedClock {
  readonly #pending = new Set<number>();

  get pending(): number {
    return this.#pending.size;
  }

  override setTimeout(callback: () => void, ms: number): number {
    const id = super.setTimeout(() => {
      this.#pending.delete(id);
      callback();
    }, ms);
    this.#pending.add(id);
    return id;
  }

  override clearTimeout(id: number): void {
    this.#pending.delete(id);
    super.clearTimeout(id);
  }
}

interface Counts {
  connections: number;
  publications: number;
  lost: number;
}

/** Replaces the session: its event `lost` ends the connection. */
function connectionInMemory(counts: Counts) {
  const session = new EventEmitter();
  const connect = fromPromise<OpenConnection>(async () => {
    counts.connections += 1;
    if (counts.connections % REFUSED_CONNECTION === 0)
      throw new Failure('CONNECTION_REFUSED', 'connecting', {
        ...SERVER,
        why: 'no server listens',
        errno: 'ECONNREFUSED',
      });
    return CONNECTION;
  });
  const holdConnection = fromPromise<never>(
    ({ signal }) =>
      new Promise<never>((_resolve, reject) => {
        const onLost = (): void => {
          counts.lost += 1;
          reject(new Failure('CONNECTION_LOST', 'sessionClosed', SERVER));
        };
        session.once('lost', onLost);
        signal.addEventListener('abort', () => session.off('lost', onLost), { once: true });
      }),
  );
  const publishTelemetry = fromPromise<Publication>(async () => {
    counts.publications += 1;
    if (counts.publications % FAILING_PUBLICATION === 0)
      throw new Failure('ANSWER_TIMEOUT', 'notAcknowledged', { ...SERVER, seconds: 20 });
    return { messages: 1, elapsedMs: 40 };
  });
  const disconnect = fromPromise<void>(() => Promise.resolve());
  return { session, actors: { connect, holdConnection, publishTelemetry, disconnect } };
}

export async function operateForDays(hours: number): Promise<SoakResult> {
  const clock = new CountingClock();
  const counts: Counts = { connections: 0, publications: 0, lost: 0 };
  const { session, actors } = connectionInMemory(counts);
  const actor = createActor(telemetryMachine.provide({ actors }), { clock, input: { spread: 1 } });
  const samples: Sample[] = [];
  const problems: string[] = [];
  const onWarning = ({ message }: Error): void => void problems.push(`a warning: ${message}`);
  process.on('warning', onWarning);
  actor.start();
  for (let hour = 1; hour <= hours; hour += 1) {
    const until = hour * HOUR_MS;
    for (let now = clock.now(); now < until; now = clock.now()) {
      clock.increment(1000);
      await nextTurn();
      if (clock.now() % LOST_AFTER_MS === 0) session.emit('lost');
    }
    // Advance to the same idle state, so that samples can be compared.
    while (JSON.stringify(actor.getSnapshot().value) !== '{"publishing":"pausing"}') {
      clock.increment(1000);
      await nextTurn();
    }
    const size = JSON.stringify(actor.getPersistedSnapshot()).length;
    if (size > 4096) problems.push(`the chart's snapshot has ${size} bytes after ${hour} hours`);
    samples.push(await takeSample(() => session.listenerCount('lost') + clock.pending));
  }
  actor.stop();
  process.off('warning', onWarning);
  const least = (hours * HOUR_MS) / INTERVAL_MS / 2;
  if (counts.publications < least) problems.push(`only ${counts.publications} publications in ${hours} hours`);
  if (counts.lost < hours || counts.connections < hours * 2) problems.push('the connection was lost too rarely');
  return { runs: hours, problems: [...problems, ...growthProblems(`${hours} hours`, samples)] };
}
