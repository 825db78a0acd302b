import { describe, expect, it } from 'vitest';
import { notRegistered, registered, unknownOutcome, validated } from '../support/chartAnswers.ts';
import { type ChartRun, chartAt, START, startChart } from '../support/chartRun.ts';

/** Fails the running effect until the run fails. @returns the pauses between the tries, ms */
async function failUntilGivenUp(run: ChartRun): Promise<number[]> {
  const pauses: number[] = [];
  for (;;) {
    const effect = run.underWay();
    if (effect === undefined) throw new Error(`nothing is under way in ${run.state()}`);
    await run.fail(effect, 'CONNECTION_REFUSED');
    const pause = run.pauseLeft();
    if (pause === undefined) return pauses;
    pauses.push(pause);
    await run.wait(pause - 1);
    expect(run.state()).toBe('backoff');
    await run.wait(1);
    expect(run.state()).toBe(effect);
    if (pauses.length > 20) throw new Error('it retries without end');
  }
}

async function requestingWith(maxRetries: number): Promise<ChartRun> {
  const run = startChart();
  await run.answer('detect');
  await run.answer('validate', validated({ maxRetries }));
  await run.answer('prepare');
  return run;
}

describe('the retry budget', () => {
  it('FR-011: gives exactly three retries, after 1, 2 and 4 s', async () => {
    const run = await chartAt('request');
    expect(await failUntilGivenUp(run)).toEqual([1000, 2000, 4000]);
    expect(run.state()).toBe('failed');
    expect(run.context()).toMatchObject({ retries: 3, error: { code: 'CONNECTION_REFUSED', exitStatus: 69 } });
    expect(run.effects.filter(({ name }) => name === 'request')).toHaveLength(4);
  });

  it('doubles the pauses up to a minute', async () => {
    const seconds = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60];
    expect(await failUntilGivenUp(await requestingWith(10))).toEqual(seconds.map((s) => s * 1000));
  });

  it('may be empty', async () => {
    const run = await requestingWith(0);
    expect(await failUntilGivenUp(run)).toEqual([]);
    expect(run.state()).toBe('failed');
  });

  it.each(['request', 'reconcile', 'verifyCredentials'] as const)(
    'counts the pause from the failure of %s, also when its attempt took long',
    async (state) => {
      const run = await chartAt('request');
      if (state === 'reconcile') await run.answer('request', unknownOutcome);
      if (state === 'verifyCredentials') await run.answer('request');
      await run.wait(700);
      await run.fail(state, 'CONNECTION_REFUSED');
      expect(run.context()).toMatchObject({ now: run.now(), retryAt: run.now() + 1000, warnings: [] });
      expect(run.pauseLeft()).toBe(1000);
    },
  );

  it('stores the deadline of a pause', async () => {
    const run = await chartAt('request');
    await run.wait(700);
    await run.fail('request', 'CONNECTION_REFUSED');
    expect(run.context().retryAt).toBe(START + 1700);
    await run.wait(1000);
    expect(run.context()).toMatchObject({ retryAt: null, waitingFor: null, now: START + 1700 });
  });

  it.each(['reconcile', 'verifyCredentials'] as const)('holds for %s', async (state) => {
    const run = await chartAt('request');
    if (state === 'reconcile') await run.answer('request', unknownOutcome);
    else await run.answer('request');
    expect(await failUntilGivenUp(run)).toEqual([1000, 2000, 4000]);
    expect(run.context().error?.code).toBe('CONNECTION_REFUSED');
  });

  it('is reset by progress', async () => {
    const run = await chartAt('request');
    for (const pause of [1000, 2000, 4000]) {
      await run.fail('request', 'HOST_NOT_FOUND');
      await run.wait(pause);
    }
    await run.answer('request');
    expect(run.context()).toMatchObject({ retries: 0, furthestStep: 4 });
    expect(await failUntilGivenUp(run)).toEqual([1000, 2000, 4000]);
  });

  it('is not reset by a return to an earlier state', async () => {
    const run = await chartAt('request');
    await run.answer('request', unknownOutcome);
    await run.fail('reconcile', 'CONNECTION_LOST');
    await run.wait(1000);
    await run.answer('reconcile', notRegistered);
    await run.wait(1000);
    await run.fail('request', 'CONNECTION_LOST');
    await run.wait(2000);
    expect(run.state()).toBe('reconcile');
    await run.fail('reconcile', 'CONNECTION_LOST');
    expect(run.state()).toBe('failed');
  });

  it('is not used for permanent failures', async () => {
    const run = await chartAt('request');
    await run.fail('request', 'TLS_WRONG_HOST');
    expect(run.context()).toMatchObject({ retries: 0, error: { code: 'TLS_WRONG_HOST', exitStatus: 78 } });
  });
});

describe('the pause after an answer of the server', () => {
  /** A lost answer, and a server that is then away for five probes. */
  async function awayFor31Seconds(): Promise<ChartRun> {
    const run = await requestingWith(10);
    await run.answer('request', unknownOutcome);
    for (const pause of [1000, 2000, 4000, 8000, 16_000]) {
      await run.fail('reconcile', 'CONNECTION_REFUSED');
      expect(run.pauseLeft()).toBe(pause);
      await run.wait(pause);
    }
    return run;
  }

  it('starts at 1 s again: the server is back', async () => {
    const run = await awayFor31Seconds();
    await run.answer('reconcile', notRegistered);
    expect([run.state(), run.pauseLeft(), run.context().retries]).toEqual(['backoff', 1000, 6]);
    await run.wait(1000);
    await run.answer('request', unknownOutcome);
    await run.fail('reconcile', 'CONNECTION_REFUSED');
    expect(run.pauseLeft()).toBe(1000);
  });

  it('keeps growing between requests: the server answers probes, but not requests', async () => {
    const run = await awayFor31Seconds();
    for (const pause of [1000, 2000, 4000]) {
      await run.answer('reconcile', notRegistered);
      expect(run.pauseLeft()).toBe(pause);
      await run.wait(pause);
      await run.answer('request', unknownOutcome);
    }
  });

  it('starts at 1 s again after progress', async () => {
    const run = await awayFor31Seconds();
    await run.answer('reconcile', registered);
    await run.fail('verifyCredentials', 'CONNECTION_LOST');
    expect(run.pauseLeft()).toBe(1000);
    await run.wait(1000);
    await run.fail('verifyCredentials', 'CONNECTION_LOST');
    expect(run.pauseLeft()).toBe(2000);
  });

  it('is counted from the failure of a probe, not from the failure before', async () => {
    const run = await chartAt('request');
    await run.answer('request', unknownOutcome);
    await run.wait(700);
    await run.fail('reconcile', 'CONNECTION_REFUSED');
    expect(run.context().retryAt).toBe(run.now() + 1000);
    expect(run.pauseLeft()).toBe(1000);
  });
});

describe('a pause on a board whose clock jumps', () => {
  const YEAR = 365 * 24 * 3600 * 1000;

  it.each([
    ['far in the past', -30 * YEAR, 60_000],
    ['an hour back', -3_600_000, 60_000],
    ['just before the deadline', 999, 1],
    ['past the deadline', 1001, 0],
    ['far in the future', 30 * YEAR, 0],
  ])(
    'resumes after a restart with a clock %s: not at once by a negative pause, and not after years',
    async (_when, jump, pause) => {
      const run = await chartAt('request');
      await run.fail('request', 'CONNECTION_REFUSED');
      const again = await run.resumed({ at: run.now() + jump });
      if (pause > 0) {
        expect([again.state(), again.pauseLeft()]).toEqual(['backoff', pause]);
        await again.wait(pause - 1);
        expect(again.state()).toBe('backoff');
        await again.wait(1);
      } else {
        await again.wait(0);
      }
      expect(again.state()).toBe('request');
      await again.until('provisioned');
    },
  );

  it('measures the next pauses with the current clock', async () => {
    const run = await chartAt('request');
    await run.fail('request', 'CONNECTION_REFUSED');
    const again = await run.resumed({ at: run.now() - 30 * YEAR });
    await again.wait(60_000);
    await again.fail('request', 'CONNECTION_REFUSED');
    expect(again.pauseLeft()).toBe(2000);
  });
});
