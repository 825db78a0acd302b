import fc from 'fast-check';
import { expect } from 'vitest';
import type { EffectName } from '../../machines/provision.types.ts';
import {
  failureAnswer,
  notRegistered,
  refusedCredentials,
  registered,
  reused,
  TRIGGER,
  unknownOutcome,
  wrote,
} from '../support/chartAnswers.ts';
import { type ChartRun, START, startChart } from '../support/chartRun.ts';
import { type Property, propertyOf } from '../support/property.ts';

const SECOND = 1000;
const YEAR = 365 * 24 * 3600 * SECOND;
/** 20 resumes for each of 8 steps, with a few effects between them. A longer run is a loop. */
const MAX_STEPS = 1000;
/** Only the time limit stops a run whose provision.json changes all the time. */
const MAX_SETTINGS_CHANGES = 3;

type Kind = 'ok' | 'otherwise' | 'unknown' | 'network' | 'permanent' | 'settings' | 'thrown' | 'timeUp' | 'cut';
interface Step {
  readonly kind: Kind;
  /** How long the effect takes, ms. */
  readonly lasts: number;
  /** How far a power loss moves the clock, ms. */
  readonly jump: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant<Kind>('ok') },
    { weight: 6, arbitrary: fc.constant<Kind>('otherwise') },
    { weight: 4, arbitrary: fc.constant<Kind>('unknown') },
    { weight: 4, arbitrary: fc.constant<Kind>('network') },
    { weight: 4, arbitrary: fc.constant<Kind>('cut') },
    { weight: 1, arbitrary: fc.constantFrom<Kind>('permanent', 'settings', 'thrown', 'timeUp') },
  ),
  lasts: fc.integer({ min: 0, max: 30 * SECOND }),
  jump: fc.oneof(fc.constant(0), fc.integer({ min: -30 * YEAR, max: 30 * YEAR })),
});

/** Some runs are quick from beginning to end: only they can try a new name too early. */
const script: fc.Arbitrary<readonly Step[]> = fc
  .tuple(fc.constantFrom(0, 0.05, 1), fc.array(step, { minLength: 1, maxLength: 40 }))
  .map(([pace, steps]) => steps.map((one) => ({ ...one, lasts: Math.round(one.lasts * pace) })));

/** The run as seen from outside, in true time, independent of the device's clock. */
interface Watch {
  trueTime: number;
  /** When the outcome of a request became unknown: by its end or by a power loss. */
  unknownAt: number;
  refusedProbes: number;
  /** The server's answers were FAILURE for this name. */
  failures: Map<number, number>;
  provenSinceGrant: boolean;
  writtenSinceProof: boolean;
  settingsChanges: number;
  names: Set<number>;
  /** Deadlines of the pauses before a retry, since the last progress. */
  retries: Set<number>;
  furthestStep: number;
  startedOver: boolean;
}

/** Ends the running effect as the step says. */
async function end(run: ChartRun, effect: EffectName, { kind }: Step, watch: Watch): Promise<void> {
  switch (kind) {
    case 'network':
      return run.fail(effect, 'CONNECTION_LOST');
    case 'permanent':
      return run.fail(effect, 'PROVISION_KEY_REFUSED');
    case 'thrown':
      return run.throwIn(effect, new Error('unforeseen'));
    case 'timeUp':
      return run.send({ type: 'TIME_UP', at: run.now() });
    case 'settings':
      watch.settingsChanges += 1;
      if (watch.settingsChanges <= MAX_SETTINGS_CHANGES) return run.fail(effect, 'SETTINGS_CHANGED');
      return run.answer(effect);
    case 'otherwise':
      return endOtherwise(run, effect);
    case 'unknown':
      return endUnclear(run, effect);
    default:
      return run.answer(effect);
  }
}

async function endOtherwise(run: ChartRun, effect: EffectName): Promise<void> {
  if (effect === 'request') return run.answer('request', failureAnswer);
  if (effect === 'reconcile') return run.answer('reconcile', notRegistered);
  if (effect === 'verifyCredentials') return run.answer('verifyCredentials', refusedCredentials);
  if (effect === 'write') return run.answer('write', wrote('changed'));
  return run.answer(effect);
}

async function endUnclear(run: ChartRun, effect: EffectName): Promise<void> {
  if (effect === 'request') return run.answer('request', unknownOutcome);
  if (effect === 'reconcile') return run.answer('reconcile', registered);
  if (effect === 'prepare') return run.answer('prepare', reused);
  if (effect === 'write') return run.answer('write', wrote('unusable'));
  return run.answer(effect);
}

/** Checks that must pass whenever an effect starts. */
function checkStart(run: ChartRun, effect: EffectName, watch: Watch): void {
  const context = run.context();
  if (effect === 'request') {
    const { nameIndex } = run.input('request');
    expect(context.granted, 'a request while credentials are granted').toBeNull();
    expect(context.requestsOut, 'a request that is not counted').toBeGreaterThanOrEqual(1);
    if (nameIndex > 1 && !watch.names.has(nameIndex)) {
      expect(watch.trueTime - watch.unknownAt, 'a new name during the quiet time').toBeGreaterThanOrEqual(25 * SECOND);
      // A third name: one probe after the second FAILURE, and one more before the request.
      const least = nameIndex === 2 ? 4 : 2;
      expect(watch.refusedProbes, 'a new name after too few probes').toBeGreaterThanOrEqual(least);
      expect(watch.failures.get(nameIndex - 1), 'a new name without FAILURE for the old').toBeGreaterThan(0);
    }
    watch.names.add(nameIndex);
    expect(watch.names.size, 'more than three names').toBeLessThanOrEqual(3);
  }
  if (effect === 'backup' || effect === 'write') {
    expect(watch.provenSinceGrant, `${effect} before the credentials are proven`).toBe(true);
  }
  if (effect === 'finalize') expect(watch.writtenSinceProof, 'finalize before anything is written').toBe(true);
}

/** Checks that must pass whenever a pause begins or resumes. */
function checkPause(run: ChartRun, pause: number, watch: Watch): void {
  const { waitingFor, retryAt, settings, furthestStep } = run.context();
  expect(pause, 'a pause of more than a minute').toBeLessThanOrEqual(60 * SECOND);
  // The new settings may name another server, so retries start again; the chart allows that once.
  const { startedOver } = run.context();
  if (furthestStep > watch.furthestStep || startedOver !== watch.startedOver) watch.retries.clear();
  watch.startedOver = startedOver;
  watch.furthestStep = furthestStep;
  if (waitingFor === 'retry' && retryAt !== null) watch.retries.add(retryAt);
  const allowed = settings?.maxRetries ?? 0;
  expect(watch.retries.size, 'more retries than provision.json allows').toBeLessThanOrEqual(allowed);
}

/** Keeps the record of how an effect ended. */
function noteEnd(run: ChartRun, effect: EffectName, nameIndex: number, { kind }: Step, watch: Watch): void {
  if (effect === 'request') {
    watch.refusedProbes = 0;
    if (kind === 'otherwise') watch.failures.set(nameIndex, (watch.failures.get(nameIndex) ?? 0) + 1);
    if (kind === 'unknown' || kind === 'cut') watch.unknownAt = watch.trueTime;
  }
  if (effect === 'prepare' && kind === 'unknown') {
    watch.unknownAt = watch.trueTime;
    // A name that an earlier run generated and may have sent is not a new name.
    watch.names.add(run.context().nameIndex);
  }
  if (effect === 'reconcile' && (kind === 'ok' || kind === 'otherwise')) watch.refusedProbes += 1;
  if (effect === 'verifyCredentials' && run.state() === 'backup') watch.provenSinceGrant = true;
  if (effect === 'write' && run.state() === 'finalize') watch.writtenSinceProof = true;
}

async function cutAndResume(run: ChartRun, { jump }: Step): Promise<ChartRun> {
  return run.resumed({ at: run.now() + jump, trigger: TRIGGER });
}

/** Drives a run by a script that is repeated without end. @returns the number of steps until its end */
async function drive(script: readonly Step[]): Promise<{ run: ChartRun; steps: number; watch: Watch }> {
  let run = startChart();
  const watch: Watch = {
    trueTime: START,
    unknownAt: Number.NEGATIVE_INFINITY,
    refusedProbes: 0,
    failures: new Map(),
    provenSinceGrant: false,
    writtenSinceProof: false,
    settingsChanges: 0,
    names: new Set(),
    retries: new Set(),
    furthestStep: 0,
    startedOver: false,
  };
  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    if (run.isDone()) return { run, steps, watch };
    const current = script[steps % script.length];
    if (current === undefined) throw new Error('the script is empty');
    const effect = run.underWay();
    if (effect === undefined) {
      const pause = run.pauseLeft();
      if (pause === undefined) throw new Error(`no effect and no pause in ${run.state()}`);
      checkPause(run, pause, watch);
      if (current.kind === 'cut') {
        run = await cutAndResume(run, current);
      } else {
        watch.trueTime += pause;
        await run.wait(pause);
      }
      continue;
    }
    checkStart(run, effect, watch);
    const { nameIndex } = run.context();
    watch.trueTime += current.lasts;
    await run.wait(current.lasts);
    if (current.kind === 'cut') run = await cutAndResume(run, current);
    else await end(run, effect, current, watch);
    noteEnd(run, effect, nameIndex, current, watch);
  }
  throw new Error(`the run has not ended after ${MAX_STEPS} steps; it is in ${run.state()}`);
}

export const boundedRunProperty: Property = propertyOf(
  'the chart: every run ends, in bounded steps, and keeps its promises for every result of the effects',
  800,
  script,
  () => {
    const ends = new Map<string, number>();
    return {
      async check(script) {
        const { run, watch } = await drive(script);
        const state = run.state();
        ends.set(state, (ends.get(state) ?? 0) + 1);
        if (state === 'provisioned') expect(watch.writtenSinceProof).toBe(true);
        else expect(['failed', 'superseded', 'withdrawn']).toContain(state);
        expect(run.context().error === null).toBe(state !== 'failed');
      },
      finish() {
        // The property proves nothing unless both ends occur.
        expect(ends.get('provisioned')).toBeGreaterThan(0);
        expect(ends.get('failed')).toBeGreaterThan(0);
      },
    };
  },
);
