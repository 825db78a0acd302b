import { describe, expect, it } from 'vitest';
import { failureAnswer, notRegistered, reused, TRIGGER, unknownOutcome, validated } from '../support/chartAnswers.ts';
import { type ChartRun, chartAt } from '../support/chartRun.ts';

const CHANGED = 'fedcba9876543210';

function expectStartedOver(run: ChartRun): void {
  expect(run.state()).toBe('validate');
  expect(run.context()).toMatchObject({
    settings: null,
    deviceName: null,
    fingerprint: null,
    requestsOut: 0,
    retryAt: null,
    waitingFor: null,
    startedOver: true,
  });
}

async function expectRestart(run: ChartRun): Promise<void> {
  expectStartedOver(run);
  await run.answer('validate', validated({ digest: CHANGED }));
  expect(run.input('prepare')).toMatchObject({ settingsDigest: CHANGED, startedOver: true });
  await run.answer('prepare');
  expect(run.input('request').settingsDigest).toBe(CHANGED);
  expect(run.context().retries).toBe(0);
}

describe('provision.json changed between interruption and RESUME', () => {
  it('makes no difference before it was read', async () => {
    const again = await (await chartAt('validate')).resumed({ settingsDigest: CHANGED });
    expect(again.state()).toBe('validate');
    expect(again.context().startedOver).toBe(false);
  });

  it('and nothing was sent: starts again at validate', async () => {
    await expectRestart(await (await chartAt('prepare')).resumed({ settingsDigest: CHANGED }));
  });

  it('with a new provision.txt, and nothing was sent: the new file is the one that finalize renames', async () => {
    const dropped = { ...TRIGGER, mtimeNs: '1763892000000000001' };
    const again = await (await chartAt('prepare')).resumed({ settingsDigest: CHANGED, trigger: dropped });
    await again.answer('validate', validated({ digest: CHANGED }));
    await again.until('finalize');
    expect(again.input('finalize')).toEqual({ trigger: dropped });
  });

  it('and nothing was sent: counts as a resume, so a file that keeps changing ends as RESUME_LOOP', async () => {
    let run = await chartAt('prepare');
    for (let changes = 1; changes <= 20; changes += 1) {
      run = await run.resumed({ settingsDigest: `${CHANGED}${changes}` });
      await run.answer('validate', validated({ digest: `${CHANGED}${changes}` }));
    }
    run = await run.resumed({ settingsDigest: CHANGED });
    expect([run.state(), run.context().error?.code]).toEqual(['failed', 'RESUME_LOOP']);
  });

  it('in the pause before a first request that could not be sent: starts again at validate', async () => {
    const run = await chartAt('request');
    await run.fail('request', 'HOST_NOT_FOUND');
    await expectRestart(await run.resumed({ settingsDigest: CHANGED }));
  });

  it.each(['request', 'verifyCredentials', 'backup', 'write'] as const)(
    'in %s, when a request may have been sent: the run is superseded',
    async (state) => {
      const again = await (await chartAt(state)).resumed({ settingsDigest: CHANGED });
      expect([again.state(), again.isDone()]).toEqual(['superseded', true]);
    },
  );

  it('in reconcile and backoff, when a request may have been sent: the run is superseded', async () => {
    const run = await chartAt('request');
    await run.answer('request', unknownOutcome);
    expect((await run.resumed({ settingsDigest: CHANGED })).state()).toBe('superseded');
    await run.answer('reconcile', notRegistered);
    expect((await run.resumed({ settingsDigest: CHANGED })).state()).toBe('superseded');
  });

  it('the run starts again for the current provision.txt, and the resume is counted', async () => {
    const trigger = { inode: '99', mtimeNs: '1763892000000000999' };
    const again = await (await chartAt('prepare')).resumed({ settingsDigest: CHANGED, trigger });
    expect(again.context()).toMatchObject({ trigger, resumes: 1, startedOver: true });
  });

  it("at the second name: the run is superseded, because the first name's request was sent", async () => {
    const run = await chartAt('request');
    await run.answer('request', failureAnswer);
    while (run.state() !== 'prepare') {
      await run.answer('reconcile', notRegistered);
      await run.wait(run.pauseLeft() ?? 0);
    }
    expect(run.context().requestsOut).toBe(0);
    expect((await run.resumed({ settingsDigest: CHANGED })).state()).toBe('superseded');
  });

  it('with a reused name, whose request an earlier run may have sent: the run is superseded', async () => {
    const run = await chartAt('prepare');
    await run.answer('prepare', reused);
    expect((await run.resumed({ settingsDigest: CHANGED })).state()).toBe('superseded');
  });

  it.each(['restore', 'finalize'] as const)('in %s: nothing is sent any more, so the run ends', async (state) => {
    const run = await chartAt('write');
    await run.answer('write', (at) => ({ outcome: state === 'restore' ? 'unusable' : 'written', at }));
    expect((await run.resumed({ settingsDigest: CHANGED })).underWay()).toBe(state);
  });

  it("and can't be read now: resumes, and the next effect reports it", async () => {
    const again = await (await chartAt('verifyCredentials')).resumed({ settingsDigest: null });
    expect(again.underWay()).toBe('verifyCredentials');
  });
});

describe('provision.json changed during the run', () => {
  it.each(['prepare', 'request'] as const)(
    'seen by %s before anything was sent: starts again at validate',
    async (state) => {
      const run = await chartAt(state);
      await run.fail(state, 'SETTINGS_CHANGED');
      await expectRestart(run);
    },
  );

  it('seen by request, when an earlier request may have been sent: the run is superseded', async () => {
    const run = await chartAt('request');
    await run.answer('request', unknownOutcome);
    await run.answer('reconcile', notRegistered);
    await run.wait(1000);
    await run.fail('request', 'SETTINGS_CHANGED');
    expect(run.state()).toBe('superseded');
  });

  it('seen by prepare at the second name: the run is superseded', async () => {
    const run = await chartAt('request');
    await run.answer('request', failureAnswer);
    while (run.state() !== 'prepare') {
      await run.answer('reconcile', notRegistered);
      await run.wait(run.pauseLeft() ?? 0);
    }
    await run.fail('prepare', 'SETTINGS_CHANGED');
    expect(run.state()).toBe('superseded');
  });

  it('seen by reconcile or verifyCredentials: the run is superseded', async () => {
    const reconciling = await chartAt('request');
    await reconciling.answer('request', unknownOutcome);
    await reconciling.fail('reconcile', 'SETTINGS_CHANGED');
    const verifying = await chartAt('verifyCredentials');
    await verifying.fail('verifyCredentials', 'SETTINGS_CHANGED');
    expect([reconciling.state(), verifying.state()]).toEqual(['superseded', 'superseded']);
  });

  it('seen by request after a restart with nothing sent: only sent requests are counted', async () => {
    const run = await chartAt('prepare');
    const again = await run.resumed();
    await again.answer('prepare');
    await again.fail('request', 'SETTINGS_CHANGED');
    expectStartedOver(again);
  });

  it('a second time: the run is superseded, which the agent counts', async () => {
    const run = await chartAt('request');
    await run.fail('request', 'SETTINGS_CHANGED');
    await run.until('request');
    await run.fail('request', 'SETTINGS_CHANGED');
    expect(run.state()).toBe('superseded');
  });
});
