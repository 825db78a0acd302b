import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { FailureRecord } from '../../machines/provision.types.ts';
import { FAILURES, isFailureCode } from '../../src/failures/catalogue.ts';
import { failureAnswer, notRegistered, validated, wrote } from '../support/chartAnswers.ts';
import { type ChartRun, chartAt, type Persisted, resumeChart, startChart } from '../support/chartRun.ts';

const CHART = new URL('../../machines/provision.machine.ts', import.meta.url);

async function nameRefused(nameSource: 'fixed' | 'random', nameIndex: number): Promise<ChartRun> {
  const run = startChart();
  await run.answer('detect');
  await run.answer('validate', validated({ nameSource }));
  await run.answer('prepare');
  const { state, context } = run.persisted();
  const last: Persisted = { state, context: { ...context, nameIndex } };
  const again = await resumeChart(last);
  await again.answer('reconcile', notRegistered);
  await again.answer('request', failureAnswer);
  while (!again.isDone()) {
    await again.answer('reconcile', notRegistered);
    await again.wait(again.pauseLeft() ?? 0);
  }
  return again;
}

/** How to provoke each failure that the chart itself finds. */
const PROVOKED: Readonly<Record<string, () => Promise<ChartRun>>> = {
  INTERNAL: async () => {
    const run = startChart();
    await run.throwIn('detect', new Error('unforeseen'));
    return run;
  },
  DEVICE_NAME_TAKEN: () => nameRefused('fixed', 1),
  PROVISIONING_REFUSED: () => nameRefused('random', 3),
  CONFIG_KEEPS_CHANGING: async () => {
    const run = await chartAt('write');
    for (const _round of [1, 2]) {
      await run.answer('write', wrote('changed'));
      await run.answer('backup');
    }
    await run.answer('write', wrote('changed'));
    return run;
  },
  CONFIG_NOT_WRITTEN: async () => {
    const run = await chartAt('write');
    await run.answer('write', wrote('unusable'));
    await run.answer('restore');
    return run;
  },
  RESUME_LOOP: async () => {
    const { state, context } = (await chartAt('request')).persisted();
    return resumeChart({ state, context: { ...context, resumes: 20 } });
  },
  RUN_TIME_LIMIT: async () => {
    const run = await chartAt('request');
    await run.send({ type: 'TIME_UP', at: run.now() });
    return run;
  },
};

function catalogued(record: FailureRecord): Pick<FailureRecord, 'exitStatus' | 'retryable'> {
  if (!isFailureCode(record.code)) throw new Error(`${record.code} is not in the catalogue`);
  const { exitStatus, retryable } = FAILURES[record.code];
  return { exitStatus, retryable };
}

describe('a failure that the chart itself finds', () => {
  it.each(Object.entries(PROVOKED))('%s matches the catalogue', async (code, provoke) => {
    const run = await provoke();
    const error = run.error();
    expect([run.state(), error?.code]).toEqual(['failed', code]);
    expect(error).toMatchObject(error === null ? {} : catalogued(error));
    expect(error?.causes).toEqual([]);
    expect(error?.message).toMatch(/\S/);
    expect(error?.hint).toMatch(/\S/);
  });

  // The mutation test changes the text of the sources.
  it.skipIf('MUTATE_TESTS' in process.env)('is in the list above: the chart names no other code', async () => {
    const source = await readFile(CHART, 'utf8');
    const made = [...source.matchAll(/code: '([A-Z_]+)'/g)].map(([, code]) => code);
    expect(new Set(made)).toEqual(new Set(Object.keys(PROVOKED)));
  });

  it('has a message also when the snapshot lacks the settings', async () => {
    const run = await nameRefused('fixed', 1);
    const { context } = run.persisted();
    const stripped: Persisted = {
      state: 'reconcile',
      context: { ...context, error: null, settings: null, deviceName: null, refusedProbes: 3, unknownAt: null },
    };
    const again = await resumeChart(stripped);
    await again.answer('reconcile', notRegistered);
    expect(again.error()?.message).toBe('The server ? answered FAILURE for the device name ?');
  });

  it('says of its own name that it is configured and that a request was not answered', async () => {
    const { context } = (await nameRefused('fixed', 1)).persisted();
    const own: Persisted = {
      state: 'reconcile',
      context: { ...context, error: null, previousDeviceId: context.deviceName, refusedProbes: 3 },
    };
    const run = await resumeChart(own);
    while (!run.isDone()) {
      await run.answer('reconcile', notRegistered);
      await run.wait(run.pauseLeft() ?? 0);
    }
    expect(run.error()?.message).toContain('this camera is already configured as');
    expect(run.error()?.message).toContain('An earlier request');
  });
});
