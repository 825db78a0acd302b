import { describe, expect, it } from 'vitest';
import type { ProvisionState } from '../../machines/provision.states.ts';
import type { ProvisionContext } from '../../machines/provision.types.ts';
import { notRegistered } from '../support/chartAnswers.ts';
import { type ChartRun, chartAt, resumeChart } from '../support/chartRun.ts';

/** A state restored from a snapshot that passes its schema, but lacks what the state needs. */
async function restored(state: ProvisionState, lacking: Partial<ProvisionContext>): Promise<ChartRun> {
  const { context } = (await chartAt('write')).persisted();
  return resumeChart({ state, context: { ...context, granted: null, settings: null, ...lacking } });
}

describe('a snapshot that lacks what its state needs', () => {
  it.each(['prepare', 'reconcile', 'verifyCredentials', 'backup', 'write'] as const)(
    'in %s starts the effect, which reports what is missing',
    async (state) => {
      const run = await restored(state, { backupName: null });
      expect(run.underWay()).toBe(state);
      await run.fail(state, 'CREDENTIALS_LOST');
      expect(run.context().error?.code).toBe('CREDENTIALS_LOST');
    },
  );

  it('starts request with a digest that no settings have', async () => {
    const run = await restored('request', {});
    await run.answer('reconcile', notRegistered);
    expect(run.input('request').settingsDigest).toBe('');
  });

  it('makes no pause without a deadline', async () => {
    const run = await restored('backoff', { retryAt: null });
    expect(run.pauseLeft()).toBe(0);
    await run.wait(0);
    expect(run.state()).toBe('reconcile');
  });

  it('gives no retries without settings', async () => {
    const run = await restored('reconcile', {});
    await run.fail('reconcile', 'CONNECTION_LOST');
    expect([run.state(), run.context().error?.code]).toEqual(['failed', 'CONNECTION_LOST']);
  });

  it('fails an unknown outcome whose failure is unknown as INTERNAL', async () => {
    const run = await restored('reconcile', { lastAnswer: 'unknown', lastFailure: null });
    await run.answer('reconcile', notRegistered);
    expect([run.state(), run.context().error?.code]).toEqual(['failed', 'INTERNAL']);
  });

  it('records no proof without settings, but continues: the write needs the issued credentials', async () => {
    const run = await restored('verifyCredentials', { provenBy: null });
    await run.answer('verifyCredentials');
    expect([run.state(), run.context().provenBy]).toEqual(['backup', null]);
  });
});
