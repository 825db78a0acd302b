import fc from 'fast-check';
import { expect } from 'vitest';
import {
  derived,
  failureAnswer,
  notRegistered,
  registered,
  unknownOutcome,
  validated,
} from '../support/chartAnswers.ts';
import { type ChartRun, START, startChart } from '../support/chartRun.ts';
import { type ModelServer, modelServer } from '../support/modelServer.ts';
import { type Property, propertyOf } from '../support/property.ts';

const SECOND = 1000;
const YEAR = 365 * 24 * 3600 * SECOND;
const MAX_STEPS = 500;
/** Of a camera whose files are lost, so that a run ends although its events repeat. */
const MAX_LIVES = 10;
/** After more than this, any commit has happened. */
export const LATEST_COMMIT = 20 * SECOND;

/** Events during one effect or one pause. */
const happening = fc.record({
  arrives: fc.boolean(),
  answered: fc.boolean(),
  commitsAfter: fc.oneof(fc.integer({ min: 0, max: LATEST_COMMIT }), fc.constant(LATEST_COMMIT)),
  limited: fc.integer({ min: 0, max: 3 }).map((draw) => draw === 0),
  /** The connection is refused before anything is sent. */
  unreachable: fc.integer({ min: 0, max: 5 }).map((draw) => draw === 0),
  cut: fc.integer({ min: 0, max: 4 }).map((draw) => draw === 0),
  /** With a board secret: the power loss takes all files along. */
  wiped: fc.boolean(),
  /** How far a power loss moves the device's clock, ms. */
  jump: fc.integer({ min: -30 * YEAR, max: 30 * YEAR }),
  /** How long the device is off, ms. */
  off: fc.integer({ min: 0, max: 10 * SECOND }),
  lasts: fc.integer({ min: 0, max: 5 * SECOND }),
});
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

interface Device {
  readonly server: ModelServer;
  /** Whether a board secret gives the credentials, and a setting the name. */
  readonly derives: boolean;
}

async function answerFrom(run: ChartRun, { server, derives }: Device, now: number, event: Happening): Promise<void> {
  const effect = run.underWay();
  if (effect === 'validate' && derives) return run.answer(effect, validated({ nameSource: 'fixed' }));
  if (effect === 'prepare' && derives) return run.answer(effect, derived);
  if (effect === 'request') {
    if (event.unreachable) return run.fail('request', 'CONNECTION_REFUSED');
    const said = server.request(run.input('request').nameIndex, now, event);
    if (said === 'SUCCESS') return run.answer('request');
    return run.answer('request', said === 'FAILURE' ? failureAnswer : unknownOutcome);
  }
  if (effect === 'reconcile') {
    if (event.unreachable) return run.fail('reconcile', 'CONNECTION_LOST');
    const { nameIndex, includeCurrent } = run.input('reconcile');
    const newest = includeCurrent ? nameIndex : nameIndex - 1;
    for (let probed = newest; probed >= 1; probed -= 1) {
      if (!server.knows(probed, now)) continue;
      return run.answer('reconcile', (at) =>
        registered(at, { settingsDigest: '', nameIndex: probed, includeCurrent: true }),
      );
    }
    return run.answer('reconcile', notRegistered);
  }
  if (effect === 'verifyCredentials' && event.unreachable) return run.fail(effect, 'CONNECTION_LOST');
  if (effect !== undefined) return run.answer(effect);
}

/** Drives a run against the server until its end; true time passes also while the device is off. */
async function drive(device: Device, happenings: readonly Happening[]): Promise<{ run: ChartRun; now: number }> {
  const { server, derives } = device;
  let run = startChart();
  let now = START;
  let lives = 1;
  for (let steps = 0; steps < MAX_STEPS && !run.isDone(); steps += 1) {
    const event = happenings[steps % happenings.length];
    if (event === undefined) throw new Error('nothing happens');
    const lasts = run.pauseLeft() ?? event.lasts;
    if (event.cut) {
      // The request is sent, and the device loses power at once.
      if (run.underWay() === 'request')
        server.request(run.input('request').nameIndex, now, { ...event, answered: false });
      now += event.off;
      const isWiped = derives && event.wiped && lives < MAX_LIVES;
      if (isWiped) lives += 1;
      run = isWiped ? startChart() : await run.resumed({ at: run.now() + event.jump });
      continue;
    }
    now += lasts;
    const effect = run.underWay();
    await run.wait(lasts);
    if (effect !== undefined) await answerFrom(run, device, now, event);
    expect(server.devices(now).length, 'devices on the server').toBeLessThanOrEqual(1);
  }
  if (!run.isDone()) throw new Error(`the run has not ended; it is in ${run.state()}`);
  return { run, now };
}

const scene = fc.record({
  // Some runs are quick from beginning to end: only they can try a new name before a late commit.
  happenings: fc
    .tuple(fc.constantFrom(0, 0.1, 1), fc.array(happening, { minLength: 1, maxLength: 40 }))
    .map(([pace, happenings]) => happenings.map((one) => ({ ...one, lasts: Math.round(one.lasts * pace) }))),
  taken: fc.uniqueArray(fc.constantFrom(1, 2), { maxLength: 2 }),
  derives: fc.boolean(),
});

export const exactlyOneProperty: Property = propertyOf(
  'the chart: exactly one device after a successful run, and never two, with power losses, lost and late answers, and with a board secret also lost files',
  1000,
  scene,
  () => {
    let provisioned = 0;
    let late = 0;
    let again = 0;
    return {
      async check({ happenings, taken, derives }) {
        const server = modelServer(new Set(derives ? [] : taken));
        const { run, now } = await drive({ server, derives }, happenings);
        const devices = server.devices(now + LATEST_COMMIT);
        expect(devices.length).toBeLessThanOrEqual(1);
        if (run.state() !== 'provisioned') return;
        provisioned += 1;
        if (derives) again += 1;
        if (run.context().granted?.successSeen === false) late += 1;
        expect(devices).toEqual([run.context().granted?.deviceName]);
      },
      finish(runs) {
        expect(provisioned).toBeGreaterThan(runs / 10);
        expect(late).toBeGreaterThan(runs / 100);
        expect(again).toBeGreaterThan(runs / 20);
      },
    };
  },
);
