import { describe, expect, it } from 'vitest';
import type { NameSource } from '../../machines/provision.types.ts';
import {
  derived,
  failureAnswer,
  notRegistered,
  registered,
  reused,
  unknownOutcome,
  validated,
} from '../support/chartAnswers.ts';
import { type ChartRun, startChart } from '../support/chartRun.ts';

/** A run whose credentials are derived from a board secret, after `prepare`. */
async function prepared(nameSource: NameSource = 'fixed', prepare = derived): Promise<ChartRun> {
  const run = startChart();
  await run.answer('detect');
  await run.answer('validate', validated({ nameSource }));
  await run.answer('prepare', prepare);
  return run;
}

/** The request is answered FAILURE, and the server never knows the token. @returns how long the run asked, ms */
async function refused(run: ChartRun): Promise<number> {
  await run.answer('reconcile', notRegistered);
  await run.answer('request', failureAnswer);
  const since = run.now();
  while (!run.isDone()) {
    if (run.underWay() === 'reconcile') await run.answer('reconcile', notRegistered);
    else await run.wait(run.pauseLeft() ?? 0);
  }
  return run.now() - since;
}

describe('credentials that a board secret gives', () => {
  it('are asked for before the first request, which is not sent if the server knows them', async () => {
    const run = await prepared();
    expect(run.underWay()).toBe('reconcile');
    expect(run.input('reconcile')).toMatchObject({ nameIndex: 1, includeCurrent: true });
    await run.answer('reconcile', registered);
    expect(run.state()).toBe('verifyCredentials');
    await run.until('provisioned');
    expect(run.effects.map(({ name }) => name)).not.toContain('request');
  });

  it('are registered if the server does not know them', async () => {
    const run = await prepared();
    await run.answer('reconcile', notRegistered);
    expect(run.input('request')).toMatchObject({ nameIndex: 1, unanswered: true });
    await run.until('provisioned');
    expect(run.context().settings).toMatchObject({ derived: true, nameSource: 'fixed' });
  });

  it('are asked for again after each request that was not sent or not answered', async () => {
    const run = await prepared();
    await run.answer('reconcile', notRegistered);
    await run.fail('request', 'CONNECTION_REFUSED');
    await run.wait(1000);
    expect(run.underWay()).toBe('reconcile');
    await run.answer('reconcile', notRegistered);
    await run.answer('request', unknownOutcome);
    await run.answer('reconcile', registered);
    expect(run.state()).toBe('verifyCredentials');
  });

  it('are asked for again after a resume', async () => {
    const run = await (await prepared()).resumed();
    await run.answer('reconcile', notRegistered);
    const again = await run.resumed();
    expect([again.state(), again.context().settings?.derived]).toEqual(['reconcile', true]);
  });

  it('belong to another device only when 25 s have passed, as an earlier life may have asked just before', async () => {
    const run = await prepared();
    expect(await refused(run)).toBeGreaterThanOrEqual(25_000);
    expect(run.error()).toMatchObject({
      code: 'DEVICE_NAME_TAKEN',
      message: expect.stringContaining('does not know the credentials that the board secret gives'),
      hint: expect.stringMatching(/without this board secret.*token_generation/),
    });
    expect(run.context().nameIndex).toBe(1);
  });
});

it('a run that keeps other credentials does not blame the board secret', async () => {
  const run = await prepared('fixed', reused);
  await refused(run);
  expect(run.error()?.message).not.toContain('board secret');
  expect(run.context().settings?.derived).toBeUndefined();
});
