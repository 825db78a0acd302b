/** Log lines about a failure have its values as fields, which `status` reads. */
import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { assess } from '../../src/status/assessment.ts';
import { readDeviceFiles } from '../../src/status/deviceFiles.ts';
import { explanation } from '../../src/status/explanation.ts';
import { makeStatus } from '../../src/status/makeStatus.ts';
import { cutIn, runDevice, scene } from '../support/agentRun.ts';

it('a run that fails, and a start that fails before its first state, log message and fields of the failure', async () => {
  const { paths } = await scene();
  await writeFile(paths.provisionJson, '{');
  const inRun = await runDevice(paths);
  await writeFile(paths.snapshot, JSON.stringify({ format: 'thermal-provision-snapshot', version: 99 }), {
    mode: 0o600,
  });
  const beforeRun = await runDevice(paths);
  for (const { of, failure } of [inRun, beforeRun]) {
    const { message, ...fields } = failure ?? { message: '' };
    expect(of('run.failed')).toMatchObject([{ message, details: fields }]);
  }
  expect(beforeRun.failure?.code).toBe('SNAPSHOT_NEWER');
});

it('a pause after a failure logs the fields of that failure, any other pause only its kind', async () => {
  const { paths } = await scene({ faults: [{ on: 'connect', nth: 1, action: 'close' }] });
  const run = await runDevice(paths);
  const [line] = run.of('backoff.waiting');
  expect(Object.keys(line?.details ?? {})).toEqual([
    'ms',
    'waitingFor',
    'code',
    'hint',
    'exitStatus',
    'retryable',
    'causes',
  ]);
  expect(line?.details).toMatchObject({
    ms: 1000,
    waitingFor: 'retry',
    code: 'CONNECTION_LOST',
    exitStatus: 69,
    retryable: true,
  });
  expect(line?.details.hint).toContain('use_ssl');
  const refused = await scene({ faults: [{ on: 'deviceConnect', nth: 1, action: 'refuse', code: 5 }] });
  const verifying = await runDevice(refused.paths);
  expect(verifying.of('backoff.waiting').map(({ details }) => details)).toEqual([
    { ms: 1000, waitingFor: 'verification' },
  ]);
});

it('a resumed state has a field for it', async () => {
  const { paths } = await scene();
  await cutIn(paths, 'backup');
  const run = await runDevice(paths);
  expect(run.of('state.entered').map(({ state, details }) => [state, details.resumed])).toEqual([
    ['backup', true],
    ['write', undefined],
    ['finalize', undefined],
  ]);
});

it('status shows message and hint of a failed start as they were logged', async () => {
  const { paths } = await scene();
  const { failure } = await runDevice(paths, { interruptIn: 'detect' });
  expect(failure).toBeNull();
  const hint = 'Mount the card again.';
  const line = { code: 'DISK_ERROR', hint, exitStatus: 74, retryable: false, causes: ['Error: EIO'] };
  const [last = ''] = (await readFile(paths.events, 'utf8')).trimEnd().split('\n').slice(-1);
  const failed = { ...JSON.parse(last), runId: null, state: null, event: 'run.failed', message: 'No disk', ...line };
  await writeFile(paths.events, `${JSON.stringify(failed)}\n`);
  const files = await readDeviceFiles(paths, { boardId: 'board-1' });
  expect(assess(files).errors[0]).toEqual({ code: 'DISK_ERROR', message: 'No disk', hint, retryable: false });
  expect(makeStatus(files).events.at(-1)?.message).toBe(`No disk. ${hint}`);
  expect(explanation(files)).toContain(`DISK_ERROR: No disk.\n  Hint: ${hint}`);
});
