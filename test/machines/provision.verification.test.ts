import { describe, expect, it } from 'vitest';
import { nameOf, refusedCredentials } from '../support/chartAnswers.ts';
import { chartAt } from '../support/chartRun.ts';

describe('verifyCredentials', () => {
  it('proven → backup, with the server that answered', async () => {
    const run = await chartAt('verifyCredentials');
    const server = { host: 'other.example', port: 8883, useSsl: true, caFile: 'ca.pem' };
    await run.answer('verifyCredentials', (now) => ({
      outcome: 'proven',
      by: 'connack',
      server,
      warnings: ['no answer'],
      at: now,
    }));
    expect(run.state()).toBe('backup');
    expect(run.context()).toMatchObject({ provenBy: 'connack', settings: { server }, warnings: ['no answer'] });
  });

  it('proven with our own token, not the one in the answer: our own counts as issued', async () => {
    const run = await chartAt('verifyCredentials');
    const issued = { deviceName: nameOf(1), fingerprint: '0badcafe', successSeen: true };
    const server = { host: 'tb.example', port: 1883, useSsl: false, caFile: null };
    await run.answer('verifyCredentials', (at) => ({ outcome: 'proven', by: 'attributes', server, issued, at }));
    expect(run.context().granted).toEqual(issued);
  });

  it('network → backoff, and then verifyCredentials again', async () => {
    const run = await chartAt('verifyCredentials');
    await run.fail('verifyCredentials', 'SERVER_UNAVAILABLE');
    expect(run.state()).toBe('backoff');
    await run.wait(1000);
    expect(run.state()).toBe('verifyCredentials');
  });

  it('is refused three times, 1 and 2 s apart, before it fails', async () => {
    const run = await chartAt('verifyCredentials');
    await run.answer('verifyCredentials', refusedCredentials);
    const lastFailure = { code: 'CREDENTIALS_REFUSED' };
    expect(run.context()).toMatchObject({ waitingFor: 'verification', refusedVerifications: 1, lastFailure });
    expect(run.pauseLeft()).toBe(1000);
    await run.wait(1000);
    await run.answer('verifyCredentials', refusedCredentials);
    expect(run.pauseLeft()).toBe(2000);
    await run.wait(2000);
    await run.answer('verifyCredentials', refusedCredentials);
    expect([run.state(), run.context().error?.code]).toEqual(['failed', 'CREDENTIALS_REFUSED']);
  });

  it('continues when the third try is accepted', async () => {
    const run = await chartAt('verifyCredentials');
    for (const pause of [1000, 2000]) {
      await run.answer('verifyCredentials', refusedCredentials);
      await run.wait(pause);
    }
    await run.answer('verifyCredentials');
    expect(run.state()).toBe('backup');
  });

  it('fails on a permanent failure', async () => {
    const run = await chartAt('verifyCredentials');
    await run.fail('verifyCredentials', 'CREDENTIALS_LOST');
    expect([run.state(), run.context().error?.code]).toEqual(['failed', 'CREDENTIALS_LOST']);
  });
});
