import { describe, expect, it } from 'vitest';
import { STEPS } from '../../machines/provision.states.ts';
import {
  adoptedGrant,
  answers,
  failureAnswer,
  nameOf,
  notRegistered,
  registered,
  reused,
  SETTINGS,
  TRIGGER,
  unknownOutcome,
} from '../support/chartAnswers.ts';
import { chartAt, START, startChart } from '../support/chartRun.ts';

describe('a run without failures', () => {
  it('goes through every step, once', async () => {
    const run = await chartAt('provisioned');
    expect(run.effects.map(({ name }) => name)).toEqual(STEPS);
    expect(run.context()).toMatchObject({
      runId: 'run-1',
      startedAt: START,
      trigger: TRIGGER,
      settings: SETTINGS,
      deviceName: nameOf(1),
      fingerprint: 'f1',
      granted: { deviceName: nameOf(1), fingerprint: 'f1', successSeen: true },
      provenBy: 'attributes',
      requestsOut: 1,
      furthestStep: 8,
      error: null,
    });
  });
});

describe('detect', () => {
  it('leads to validate when provision.txt is there', async () => {
    const run = startChart();
    await run.answer('detect');
    expect(run.state()).toBe('validate');
    expect(run.context().trigger).toEqual(TRIGGER);
  });

  it('ends as notRequested without provision.txt', async () => {
    const run = startChart();
    await run.answer('detect', (now) => ({ trigger: null, unfinished: false, at: now }));
    expect([run.state(), run.isDone()]).toEqual(['notRequested', true]);
  });

  it('ends as withdrawn when only credentials.json is left', async () => {
    const run = startChart();
    await run.answer('detect', (now) => ({ trigger: null, unfinished: true, warnings: ['may exist'], at: now }));
    expect([run.state(), run.isDone()]).toEqual(['withdrawn', true]);
    expect(run.context().warnings).toEqual(['may exist']);
  });

  it("fails when the folder can't be read", async () => {
    const run = startChart();
    await run.fail('detect', 'DISK_ERROR');
    expect(run.context().error).toMatchObject({ code: 'DISK_ERROR', exitStatus: 74 });
  });
});

describe('validate', () => {
  it('fails at once, also with a failure that other states retry: the server was not contacted', async () => {
    for (const code of ['PROVISION_JSON_INVALID', 'CONNECTION_LOST'] as const) {
      const run = await chartAt('validate');
      await run.fail('validate', code);
      expect([run.state(), run.context().error?.code]).toEqual(['failed', code]);
    }
  });

  it('keeps the settings, the previous device and the newest backup', async () => {
    const run = await chartAt('validate');
    await run.answer('validate', (now) => ({
      settings: SETTINGS,
      previousDeviceId: 'former',
      newestBackupAt: START - 5,
      warnings: ['odd'],
      at: now,
    }));
    expect(run.state()).toBe('prepare');
    expect(run.context()).toMatchObject({
      settings: SETTINGS,
      previousDeviceId: 'former',
      newestBackupAt: START - 5,
      warnings: ['odd'],
    });
  });

  it('keeps each warning once, and the last twenty of them', async () => {
    const run = await chartAt('validate');
    const warnings = Array.from({ length: 25 }, (_, index) => `warning ${index}`);
    await run.answer('validate', (now) => ({ ...answers.validate(now, {}), warnings }));
    expect(run.context().warnings).toEqual(warnings.slice(-20));
    await run.answer('prepare', (now, input) => ({ ...answers.prepare(now, input), warnings: ['warning 24', 'new'] }));
    expect(run.context().warnings).toEqual([...warnings.slice(-19), 'new']);
  });
});

describe('prepare', () => {
  it('routes a new name to request', async () => {
    const run = await chartAt('prepare');
    expect(run.input('prepare')).toEqual({
      runId: 'run-1',
      settingsDigest: SETTINGS.digest,
      nameIndex: 1,
      startedOver: false,
    });
    await run.answer('prepare');
    expect(run.state()).toBe('request');
  });

  it('routes a name of an earlier run to reconcile: a request with it may have been sent', async () => {
    const run = await chartAt('prepare');
    await run.answer('prepare', reused);
    expect(run.state()).toBe('reconcile');
    expect(run.context()).toMatchObject({ requestsOut: 1, unknownAt: run.now() });
    expect(run.input('reconcile').includeCurrent).toBe(true);
    await run.answer('reconcile', notRegistered);
    expect(run.state()).toBe('request');
  });

  it('routes issued credentials of an earlier run to verifyCredentials', async () => {
    const run = await chartAt('prepare');
    await run.answer('prepare', adoptedGrant);
    expect(run.state()).toBe('verifyCredentials');
    expect(run.input('verifyCredentials')).toEqual({ settingsDigest: SETTINGS.digest, successSeen: false });
    await run.until('provisioned');
    expect(run.effects.map(({ name }) => name)).not.toContain('request');
  });

  it('keeps the latest name of an earlier run', async () => {
    const run = await chartAt('prepare');
    await run.answer('prepare', (now, input) => reused(now, { ...input, nameIndex: 3 }));
    expect(run.context()).toMatchObject({ nameIndex: 3, deviceName: nameOf(3) });
  });

  it('fails when nothing can be stored', async () => {
    const run = await chartAt('prepare');
    await run.fail('prepare', 'DISK_FULL');
    expect([run.state(), run.context().error?.code]).toEqual(['failed', 'DISK_FULL']);
  });
});

describe('request', () => {
  it('is counted before it is sent', async () => {
    const run = await chartAt('request');
    expect(run.context().requestsOut).toBe(1);
    expect(run.input('request')).toEqual({
      runId: 'run-1',
      settingsDigest: SETTINGS.digest,
      nameIndex: 1,
      unanswered: false,
    });
  });

  it('SUCCESS → verifyCredentials', async () => {
    const run = await chartAt('request');
    await run.answer('request');
    expect(run.state()).toBe('verifyCredentials');
    expect(run.input('verifyCredentials').successSeen).toBe(true);
  });

  it('NOT_FOUND → failed, and no request counts as sent', async () => {
    const run = await chartAt('request');
    await run.fail('request', 'PROVISION_KEY_REFUSED');
    expect(run.state()).toBe('failed');
    expect(run.context()).toMatchObject({ requestsOut: 0, error: { code: 'PROVISION_KEY_REFUSED', exitStatus: 77 } });
  });

  it("SUCCESS with credentials that can't be used → failed, and the request counts as sent", async () => {
    const run = await chartAt('request');
    await run.fail('request', 'CREDENTIALS_TYPE_UNSUPPORTED');
    expect(run.state()).toBe('failed');
    expect(run.context()).toMatchObject({ requestsOut: 1, error: { code: 'CREDENTIALS_TYPE_UNSUPPORTED' } });
  });

  it.each([
    ['FAILURE', failureAnswer, 'failure'],
    ['unknown outcome', unknownOutcome, 'unknown'],
  ] as const)('%s → reconcile', async (_outcome, answer, lastAnswer) => {
    const run = await chartAt('request');
    await run.answer('request', answer);
    expect(run.state()).toBe('reconcile');
    expect(run.context().lastAnswer).toBe(lastAnswer);
    expect(run.input('reconcile')).toEqual({ settingsDigest: SETTINGS.digest, nameIndex: 1, includeCurrent: true });
  });

  it('network → backoff', async () => {
    const run = await chartAt('request');
    await run.fail('request', 'CONNECTION_REFUSED');
    expect(run.state()).toBe('backoff');
    expect(run.context()).toMatchObject({
      waitingFor: 'retry',
      requestsOut: 0,
      lastFailure: { code: 'CONNECTION_REFUSED' },
    });
  });

  it.each([new TypeError('boom'), 'a thrown text', null, { failure: 'no record' }])(
    'fails as INTERNAL, without its text, on an unexpected error (%s)',
    async (error) => {
      const run = await chartAt('request');
      await run.throwIn('request', error);
      expect(run.error()).toMatchObject({ code: 'INTERNAL', exitStatus: 70 });
      expect(JSON.stringify(run.error())).not.toMatch(/boom|thrown/);
    },
  );
});

describe('reconcile', () => {
  it('accepted → verifyCredentials, with the device that was found', async () => {
    const run = await chartAt('request');
    await run.answer('request', unknownOutcome);
    await run.answer('reconcile', registered);
    expect(run.state()).toBe('verifyCredentials');
    expect(run.context().granted).toEqual({ deviceName: nameOf(1), fingerprint: 'f1', successSeen: false });
  });

  it('network → backoff, and then reconcile again: the outcome is still unknown', async () => {
    const run = await chartAt('request');
    await run.answer('request', unknownOutcome);
    await run.fail('reconcile', 'CONNECT_TIMEOUT');
    expect(run.state()).toBe('backoff');
    await run.wait(1000);
    expect(run.state()).toBe('reconcile');
  });

  it('fails on a permanent failure', async () => {
    const run = await chartAt('request');
    await run.answer('request', unknownOutcome);
    await run.fail('reconcile', 'TLS_UNKNOWN_CA');
    expect([run.state(), run.context().error?.code]).toEqual(['failed', 'TLS_UNKNOWN_CA']);
  });
});
