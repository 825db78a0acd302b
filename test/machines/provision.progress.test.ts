import { describe, expect, it } from 'vitest';
import { STEPS, stepsDone } from '../../machines/provision.states.ts';
import { reused } from '../support/chartAnswers.ts';
import { chartAt } from '../support/chartRun.ts';

describe('progress', () => {
  it.each(STEPS)('in %s counts the steps before it, and no more', async (state) => {
    const run = await chartAt(state);
    expect(run.context().furthestStep).toBe(stepsDone(state));
    expect(run.context()).toMatchObject({ lastAnswer: 'none', warnings: [] });
  });

  it('counts as far as the request when the run begins with the request of an earlier run', async () => {
    const run = await chartAt('prepare');
    await run.answer('prepare', reused);
    expect([run.state(), run.context().furthestStep]).toEqual(['reconcile', stepsDone('request')]);
  });

  it('gives a state the resumes again that the state before it has used up', async () => {
    for (const [index, state] of STEPS.slice(0, -1).entries()) {
      const again = await (await chartAt(state)).resumed();
      expect([state, again.context().resumes]).toEqual([state, 1]);
      await again.until(STEPS[index + 1] ?? 'provisioned');
      expect([state, again.context().resumes]).toEqual([state, 0]);
    }
  });
});
