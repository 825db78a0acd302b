import { describe, expect, it } from 'vitest';
import { ACTIVE_STATES, stepsDone } from '../../machines/provision.states.ts';
import {
  failureAnswer,
  notRegistered,
  refusedCredentials,
  reusedAfterFailure,
  TRIGGER,
  unknownOutcome,
  wrote,
} from '../support/chartAnswers.ts';
import { type ChartRun, chartAt, resumeChart } from '../support/chartRun.ts';

type ActiveState = (typeof ACTIVE_STATES)[number];

/** A run that has entered an active state. */
async function runIn(state: ActiveState): Promise<ChartRun> {
  switch (state) {
    case 'backoff': {
      const run = await chartAt('request');
      await run.fail('request', 'CONNECTION_REFUSED');
      return run;
    }
    case 'reconcile': {
      const run = await chartAt('request');
      await run.answer('request', unknownOutcome);
      return run;
    }
    case 'restore': {
      const run = await chartAt('write');
      await run.answer('write', wrote('unusable'));
      return run;
    }
    default:
      return chartAt(state);
  }
}

const NEWER_TRIGGER = { inode: '99', mtimeNs: '1763892000000000999' };
const RENUMBERED_TRIGGER = { ...TRIGGER, inode: '99' };

describe('RESUME', () => {
  it.each(ACTIVE_STATES)('in %s leaves the state or starts its effect', async (state) => {
    const run = await runIn(state);
    expect(run.state()).toBe(state);
    const again = await run.resumed();
    if (again.state() === state && state === 'backoff') expect(again.pauseLeft()).toBeGreaterThan(0);
    else expect(again.underWay()).toBe(again.state());
  });

  it.each(ACTIVE_STATES)('in %s loses nothing that the chart knew', async (state) => {
    const run = await runIn(state);
    const before = run.context();
    const again = await run.resumed();
    expect(again.context()).toEqual({
      ...before,
      resumes: 1,
      probed: false,
      // Only in these two states an answer is missing. An unknown time has passed since then.
      ...(state === 'request' || state === 'reconcile' ? { unknownAt: run.now() } : {}),
    });
  });

  it.each(ACTIVE_STATES.filter((state) => state !== 'restore'))('in %s leads to the end of the run', async (state) => {
    const again = await (await runIn(state)).resumed();
    await again.until('provisioned');
  });

  it('in restore leads to the end of the run, too', async () => {
    const again = await (await runIn('restore')).resumed();
    await again.until('failed');
    expect(again.error()?.code).toBe('CONFIG_NOT_WRITTEN');
  });

  it('in request enters reconcile first: the request may have been sent', async () => {
    const again = await (await chartAt('request')).resumed();
    expect(again.state()).toBe('reconcile');
    await again.answer('reconcile', notRegistered);
    expect(again.state()).toBe('request');
    expect(again.context().requestsOut).toBe(2);
  });

  it('in any later state invents no unanswered request', async () => {
    const run = await chartAt('prepare');
    await run.answer('prepare', reusedAfterFailure);
    const again = await run.resumed();
    expect([again.state(), again.context().unknownAt]).toEqual(['reconcile', null]);
  });

  it('in request, then FAILURE, says that the device may be our own', async () => {
    const again = await (await chartAt('request')).resumed();
    await again.answer('reconcile', notRegistered);
    expect(again.input('request').unanswered).toBe(true);
  });

  it('in reconcile after FAILURE keeps the count of refused probes', async () => {
    const run = await chartAt('request');
    await run.answer('request', failureAnswer);
    await run.answer('reconcile', notRegistered);
    await run.wait(1000);
    const again = await run.resumed();
    await again.answer('reconcile', notRegistered);
    expect([again.pauseLeft(), again.context().refusedProbes]).toEqual([2000, 2]);
  });

  it('in backoff after an unknown outcome probes again before it sends', async () => {
    const run = await chartAt('request');
    await run.answer('request', unknownOutcome);
    await run.answer('reconcile', notRegistered);
    const again = await run.resumed();
    await again.wait(1000);
    expect(again.state()).toBe('reconcile');
    await again.answer('reconcile', notRegistered);
    expect([again.state(), again.context().retries]).toEqual(['request', 1]);
  });

  it('in the last pause after unknown outcomes still sends the last request', async () => {
    const run = await chartAt('request');
    for (const pause of [1000, 2000, 0]) {
      await run.answer('request', unknownOutcome);
      await run.answer('reconcile', notRegistered);
      await run.wait(pause);
    }
    expect([run.state(), run.context().retries]).toEqual(['backoff', 3]);
    const again = await run.resumed();
    await again.wait(4000);
    await again.answer('reconcile', notRegistered);
    await again.answer('request');
    expect(again.state()).toBe('verifyCredentials');
  });

  it('in verifyCredentials keeps the count of refusals', async () => {
    const run = await chartAt('verifyCredentials');
    await run.answer('verifyCredentials', refusedCredentials);
    const again = await run.resumed();
    await again.wait(1000);
    await again.answer('verifyCredentials', refusedCredentials);
    expect(again.pauseLeft()).toBe(2000);
  });

  it("in backup keeps the backup's name that was fixed before", async () => {
    const run = await chartAt('backup');
    const again = await run.resumed({ at: run.now() + 5000 });
    expect(again.input('backup')).toEqual(run.input('backup'));
  });
});

describe('the trigger of a resumed run', () => {
  it.each(['validate', 'prepare', 'request', 'reconcile', 'backoff', 'verifyCredentials', 'backup', 'write'] as const)(
    'in %s is the current provision.txt',
    async (state) => {
      const again = await (await runIn(state)).resumed({ trigger: NEWER_TRIGGER });
      expect(again.context().trigger).toEqual(NEWER_TRIGGER);
    },
  );

  it.each([
    ['the same file', TRIGGER, TRIGGER],
    ['the same file, renumbered by its file system', RENUMBERED_TRIGGER, RENUMBERED_TRIGGER],
    ['a newer file, which must survive', NEWER_TRIGGER, TRIGGER],
    ['none any more', null, TRIGGER],
  ])('in finalize: %s', async (_what, found, kept) => {
    const again = await (await chartAt('finalize')).resumed({ trigger: found });
    expect(again.input('finalize')).toEqual({ trigger: kept });
  });

  it('in finalize stays unknown when it was unknown', async () => {
    const persisted = (await chartAt('finalize')).persisted();
    const again = await resumeChart({ ...persisted, context: { ...persisted.context, trigger: null } });
    expect(again.input('finalize')).toEqual({ trigger: null });
  });
});

describe('a run that is interrupted again and again', () => {
  async function resumedTimes(run: ChartRun, times: number): Promise<ChartRun> {
    let again = run;
    for (let count = 0; count < times; count += 1) again = await again.resumed();
    return again;
  }

  it.each(ACTIVE_STATES)('in %s resumes 20 times, then fails as RESUME_LOOP', async (state) => {
    const twenty = await resumedTimes(await runIn(state), 20);
    expect(twenty.state()).not.toBe('failed');
    expect(twenty.context().resumes).toBe(20);
    const looped = await twenty.resumed();
    expect(looped.state()).toBe('failed');
    expect(looped.error()).toMatchObject({ code: 'RESUME_LOOP', exitStatus: 70 });
    expect(looped.error()?.message).toContain('interrupted 20 times');
  });

  it.each(['validate', 'prepare', 'request', 'verifyCredentials', 'backup', 'write', 'finalize'] as const)(
    'has 20 resumes and every retry again once it reaches %s',
    async (state) => {
      const before = await chartAt('detect');
      const { context } = before.persisted();
      const spent = { resumes: 5, retries: 2, requestRetries: 2, probeRetries: 1 };
      const run = await resumeChart({ state: 'detect', context: { ...context, resumes: 4 } });
      await run.until(state);
      expect(run.context()).toMatchObject({ resumes: 0, furthestStep: stepsDone(state) });
      const last = run.persisted();
      const back = await resumeChart({ state: last.state, context: { ...last.context, ...spent, resumes: 4 } });
      expect(back.context()).toMatchObject(spent);
    },
  );

  it('counts reconcile as far as a request', async () => {
    const run = await chartAt('prepare');
    await run.answer('prepare', reusedAfterFailure);
    expect([run.state(), run.context().furthestStep]).toEqual(['reconcile', stepsDone('reconcile')]);
  });

  it('has 20 resumes again after progress', async () => {
    const run = await resumedTimes(await chartAt('request'), 20);
    await run.answer('reconcile', notRegistered);
    expect(run.state()).toBe('request');
    expect(run.context().resumes).toBe(20);
    await run.answer('request');
    expect(run.context().resumes).toBe(0);
    expect((await resumedTimes(run, 20)).state()).toBe('verifyCredentials');
  });

  it('fails as RESUME_LOOP rather than start over with changed settings', async () => {
    const run = await resumedTimes(await chartAt('prepare'), 20);
    const looped = await run.resumed({ settingsDigest: 'changed' });
    expect(looped.error()?.code).toBe('RESUME_LOOP');
  });
});

describe('TIME_UP', () => {
  it.each(ACTIVE_STATES)('in %s ends the run with status 69', async (state) => {
    const run = await runIn(state);
    await run.send({ type: 'TIME_UP', at: run.now() + 9 * 60_000 });
    expect([run.state(), run.isDone()]).toEqual(['failed', true]);
    expect(run.context().now).toBe(run.now() + 9 * 60_000);
    expect(run.error()).toMatchObject({ code: 'RUN_TIME_LIMIT', exitStatus: 69, retryable: false });
  });

  it('between two verifications names the refusal, not an earlier problem', async () => {
    const run = await chartAt('verifyCredentials');
    await run.fail('verifyCredentials', 'CONNECTION_LOST');
    await run.wait(1000);
    await run.answer('verifyCredentials', refusedCredentials);
    expect(run.context().lastFailure?.code).toBe('CREDENTIALS_REFUSED');
    await run.send({ type: 'TIME_UP', at: run.now() });
    expect(run.error()?.message).toContain('last problem: refused');
  });

  it('names the last problem and its hint', async () => {
    const run = await runIn('backoff');
    await run.send({ type: 'TIME_UP', at: run.now() });
    expect(run.error()?.message).toContain('last problem: CONNECTION_REFUSED in request');
    expect(run.error()?.hint).toBe(run.context().lastFailure?.hint);
  });
});
