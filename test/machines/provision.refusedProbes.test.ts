import { describe, expect, it } from 'vitest';
import type { NameSource } from '../../machines/provision.types.ts';
import {
  failureAnswer,
  nameOf,
  notRegistered,
  registered,
  reused,
  reusedAfterFailure,
  unknownOutcome,
  validated,
} from '../support/chartAnswers.ts';
import { type ChartRun, chartAt, startChart } from '../support/chartRun.ts';

async function requesting(nameSource: NameSource): Promise<ChartRun> {
  const run = startChart();
  await run.answer('detect');
  await run.answer('validate', validated({ nameSource }));
  await run.answer('prepare');
  return run;
}

/** Refuses probes as long as the chart probes. @returns the pauses between them, ms */
async function probeUntilGivenUp(run: ChartRun): Promise<number[]> {
  const pauses: number[] = [];
  for (;;) {
    await run.answer('reconcile', notRegistered);
    const pause = run.pauseLeft();
    if (pause === undefined) return pauses;
    expect([run.state(), run.context().waitingFor]).toEqual(['backoff', 'probe']);
    pauses.push(pause);
    await run.wait(pause - 1);
    expect(run.state()).toBe('backoff');
    await run.wait(1);
    expect(run.state()).toBe('reconcile');
    if (pauses.length > 20) throw new Error('it probes without end');
  }
}

/** The server answers FAILURE, and knows none of our tokens. */
async function refuseName(run: ChartRun): Promise<number[]> {
  await run.answer('request', failureAnswer);
  return probeUntilGivenUp(run);
}

describe('after FAILURE and a refused probe', () => {
  it('probes once at once and then 1, 2 and 4 s apart, before it generates another name', async () => {
    const run = await requesting('random');
    expect(await refuseName(run)).toEqual([1000, 2000, 4000]);
    expect(run.state()).toBe('prepare');
    expect(run.input('prepare').nameIndex).toBe(2);
    expect(run.context()).toMatchObject({ requestsOut: 0, lastAnswer: 'none', refusedProbes: 0, unknownAt: null });
  });

  it.each([0, 1, 2, 3])('uses a device that probe %i finds', async (refused) => {
    const run = await requesting('random');
    await run.answer('request', failureAnswer);
    for (let probe = 0; probe < refused; probe += 1) {
      await run.answer('reconcile', notRegistered);
      await run.wait(run.pauseLeft() ?? 0);
    }
    await run.answer('reconcile', registered);
    expect(run.state()).toBe('verifyCredentials');
    expect(run.context().granted?.deviceName).toBe(nameOf(1));
  });

  it('probes the older candidates once more before it sends a new name', async () => {
    const run = await requesting('random');
    await refuseName(run);
    await run.answer('prepare');
    expect(run.state()).toBe('reconcile');
    expect(run.input('reconcile')).toMatchObject({ nameIndex: 2, includeCurrent: false });
    await run.wait(300);
    await run.answer('reconcile', notRegistered);
    expect([run.state(), run.context().now]).toEqual(['request', run.now()]);
    expect(run.input('request').nameIndex).toBe(2);
  });

  it('uses an older candidate that was registered late', async () => {
    const run = await requesting('random');
    await refuseName(run);
    await run.answer('prepare');
    await run.answer('reconcile', registered);
    expect(run.state()).toBe('verifyCredentials');
    expect(run.context().granted?.deviceName).toBe(nameOf(1));
    await run.until('provisioned');
    expect(run.effects.filter(({ name }) => name === 'request')).toHaveLength(1);
  });

  it('tries three names at most', async () => {
    const run = await requesting('random');
    for (const nameIndex of [1, 2, 3]) {
      expect(run.input('request').nameIndex).toBe(nameIndex);
      // Two random names in turn are never both taken, so a longer wait would not help.
      expect(await refuseName(run)).toEqual(nameIndex === 1 ? [1000, 2000, 4000] : []);
      if (nameIndex < 3) {
        await run.answer('prepare');
        await run.answer('reconcile', notRegistered);
      }
    }
    expect(run.state()).toBe('failed');
    expect(run.error()).toMatchObject({ code: 'PROVISIONING_REFUSED', exitStatus: 78, retryable: false });
    expect(run.error()?.message).toContain(`${nameOf(3)} and 2 others`);
  });

  it('waits as long as for the first name when a request with the second has no answer', async () => {
    const run = await requesting('random');
    await refuseName(run);
    await run.answer('prepare');
    await run.answer('reconcile', notRegistered);
    await run.answer('request', unknownOutcome);
    await run.answer('reconcile', notRegistered);
    await run.wait(1000);
    await run.answer('request', failureAnswer);
    // Also when the quiet time has passed before the first probe ends.
    await run.wait(25_000);
    expect(await probeUntilGivenUp(run)).toEqual([1000, 2000, 4000]);
  });

  it('does not wait for the late request of an earlier name', async () => {
    const run = await requesting('random');
    await run.answer('request', unknownOutcome);
    await run.answer('reconcile', notRegistered);
    await run.wait(1000);
    await refuseName(run);
    await run.answer('prepare');
    await run.answer('reconcile', notRegistered);
    expect(run.input('request').unanswered).toBe(false);
    expect(await refuseName(run)).toEqual([]);
    expect(run.context().nameIndex).toBe(3);
  });

  it.each(['fixed', 'mac'] as const)('never generates a %s name again', async (nameSource) => {
    const run = await requesting(nameSource);
    expect(await refuseName(run)).toEqual([1000, 2000, 4000]);
    expect(run.state()).toBe('failed');
    expect(run.context().nameIndex).toBe(1);
    expect(run.error()).toMatchObject({ code: 'DEVICE_NAME_TAKEN', exitStatus: 78 });
    expect(run.error()?.message).toBe(`The server server.example answered FAILURE for the device name ${nameOf(1)}`);
    // What an operator must do with a pre-provisioned device (docs/architecture.md, "Promises").
    expect(run.error()?.hint).toContain(`delete the server attribute provisionState`);
  });

  it('does not use up retries for probes', async () => {
    const run = await requesting('random');
    await refuseName(run);
    expect(run.context().retries).toBe(0);
  });

  it('does not count a probe that learned nothing', async () => {
    const run = await requesting('random');
    await run.answer('request', failureAnswer);
    await run.answer('reconcile', notRegistered);
    await run.wait(1000);
    await run.fail('reconcile', 'CONNECTION_LOST');
    expect([run.pauseLeft(), run.context().waitingFor]).toEqual([1000, 'retry']);
    await run.wait(1000);
    expect(run.context().refusedProbes).toBe(1);
    expect(await probeUntilGivenUp(run)).toEqual([2000, 4000]);
  });
});

describe('after FAILURE, when an earlier request has an unknown outcome', () => {
  /** One request of unknown outcome, then FAILURE for the next. */
  async function unknownThenFailure(nameSource: NameSource): Promise<ChartRun> {
    const run = await requesting(nameSource);
    await run.answer('request', unknownOutcome);
    await run.answer('reconcile', notRegistered);
    await run.wait(1000);
    await run.answer('request', failureAnswer);
    return run;
  }

  it('generates another name only 25 s after the request of unknown outcome', async () => {
    const run = await unknownThenFailure('random');
    // 1 s has passed; 1 + 2 + 4 s of probing; the last probe waits for the rest of the 25 s.
    expect(await probeUntilGivenUp(run)).toEqual([1000, 2000, 4000, 17_000]);
    expect(run.input('prepare').nameIndex).toBe(2);
    const asked = run.effects.find(({ name }) => name === 'request');
    expect(run.now()).toBe((asked?.at ?? 0) + run.context().startedAt + 25_000);
  });

  it('gives the second name no quiet time, and no doubt of its own: its first request is answered', async () => {
    const run = await unknownThenFailure('random');
    await probeUntilGivenUp(run);
    for (const _name of [2, 3]) {
      await run.answer('prepare');
      await run.answer('reconcile', notRegistered);
      for (const pause of await refuseName(run)) expect(pause).toBeLessThanOrEqual(4000);
    }
    expect(run.error()).toMatchObject({ code: 'PROVISIONING_REFUSED' });
    expect(run.error()?.message).not.toContain('our own');
  });

  it('waits 4 s at least between two probes, also near the end of the 25 s', async () => {
    const run = await unknownThenFailure('random');
    for (const pause of [1000, 2000, 4000]) {
      await run.answer('reconcile', notRegistered);
      await run.wait(pause);
    }
    // 8 s have passed; this probe takes 15 s.
    await run.wait(15_000);
    await run.answer('reconcile', notRegistered);
    expect(run.pauseLeft()).toBe(4000);
    await run.wait(4000);
    await run.answer('reconcile', notRegistered);
    expect(run.state()).toBe('prepare');
  });

  it('warns for a fixed name that the existing device may be our own', async () => {
    const run = await unknownThenFailure('fixed');
    await probeUntilGivenUp(run);
    expect(run.error()?.message).toContain('the device may be our own');
  });

  it('needs no quiet time for a name of an earlier run whose requests were all answered', async () => {
    const run = startChart();
    await run.answer('detect');
    await run.answer('validate', validated({ nameSource: 'fixed' }));
    await run.answer('prepare', reusedAfterFailure);
    // The device may have been found, or deleted, since then.
    expect(run.state()).toBe('reconcile');
    await run.answer('reconcile', notRegistered);
    expect(run.input('request').unanswered).toBe(false);
    await run.answer('request', failureAnswer);
    expect(await probeUntilGivenUp(run)).toEqual([1000, 2000, 4000]);
    expect(run.error()?.message).not.toContain('may be our own');
  });

  it('keeps the quiet time for a name that an earlier run generated', async () => {
    const run = await chartAt('prepare');
    await run.answer('prepare', reused);
    await run.answer('reconcile', notRegistered);
    await run.answer('request', failureAnswer);
    expect(await probeUntilGivenUp(run)).toEqual([1000, 2000, 4000, 18_000]);
  });

  it('starts the quiet time again after a restart: it is unknown how long the device was off', async () => {
    const run = await unknownThenFailure('random');
    await run.answer('reconcile', notRegistered);
    const again = await run.resumed({ at: run.now() + 100_000 });
    await again.wait(again.pauseLeft() ?? 0);
    expect(await probeUntilGivenUp(again)).toEqual([2000, 4000, 19_000]);
  });

  it('needs no quiet time after a restart when every request was answered', async () => {
    const run = await requesting('fixed');
    await run.answer('request', failureAnswer);
    await run.answer('reconcile', notRegistered);
    const again = await run.resumed();
    await again.wait(1000);
    expect(await probeUntilGivenUp(again)).toEqual([2000, 4000]);
    expect(again.error()?.message).not.toContain('may be our own');
  });
});

describe('after an unknown outcome and a refused probe', () => {
  it('sends again under the same name, after a pause', async () => {
    const run = await requesting('random');
    await run.answer('request', unknownOutcome);
    await run.answer('reconcile', notRegistered);
    expect([run.state(), run.pauseLeft()]).toEqual(['backoff', 1000]);
    expect(run.context()).toMatchObject({ waitingFor: 'retry', lastFailure: { code: 'ANSWER_TIMEOUT' } });
    await run.wait(1000);
    expect(run.state()).toBe('request');
    expect(run.input('request').nameIndex).toBe(1);
    expect(run.context().requestsOut).toBe(2);
  });

  it("fails with the request's own failure when the retries are used up", async () => {
    const run = await requesting('random');
    for (const pause of [1000, 2000, 4000]) {
      await run.answer('request', unknownOutcome);
      await run.answer('reconcile', notRegistered);
      expect(run.pauseLeft()).toBe(pause);
      await run.wait(pause);
    }
    await run.answer('request', unknownOutcome);
    await run.answer('reconcile', notRegistered);
    expect(run.state()).toBe('failed');
    expect(run.context()).toMatchObject({ requestsOut: 4, error: { code: 'ANSWER_TIMEOUT', exitStatus: 69 } });
  });

  it('probes again before another request when that request could not be sent', async () => {
    const run = await requesting('random');
    await run.answer('request', unknownOutcome);
    await run.answer('reconcile', notRegistered);
    await run.wait(1000);
    await run.fail('request', 'CONNECTION_REFUSED');
    expect(run.context().requestsOut).toBe(1);
    await run.wait(2000);
    expect(run.state()).toBe('reconcile');
    await run.answer('reconcile', notRegistered);
    expect(run.state()).toBe('request');
  });
});
