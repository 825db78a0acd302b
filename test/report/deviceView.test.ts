import { chmod, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { FailureRecord } from '../../machines/provision.types.ts';
import { acquireLock } from '../../src/device/lock.ts';
import type { DevicePaths } from '../../src/device/paths.ts';
import { FAILURES, type FailureCode } from '../../src/failures/catalogue.ts';
import { deviceView } from '../../src/report/deviceView.ts';
import { reportPage } from '../../src/report/reportPage.ts';
import type { RunView } from '../../src/report/runView.ts';
import { readDeviceFiles } from '../../src/status/deviceFiles.ts';
import { makeStatus } from '../../src/status/makeStatus.ts';
import { cutIn, runDevice, scene, storeSnapshot } from '../support/agentRun.ts';

const read = (paths: DevicePaths) => readDeviceFiles(paths, { boardId: 'board-1' });
/** The view. It must have the same next step as `status`. */
async function viewOf(paths: DevicePaths): Promise<RunView> {
  const files = await read(paths);
  const view = deviceView(files);
  const { next } = makeStatus(files);
  expect(view.command).toBe(next?.command ?? '');
  expect(view.next.slice(0, -1)).toBe(next?.text ?? '');
  return view;
}
const pageOf = async (paths: DevicePaths) => reportPage(await read(paths), '1.2.3').text;

const failureOf = (code: FailureCode): FailureRecord => ({
  code,
  message: `what happened with ${code}`,
  hint: FAILURES[code].hint,
  retryable: false,
  exitStatus: FAILURES[code].exitStatus,
  causes: ['ECONNRESET'],
});

describe('the report', () => {
  it('of a provisioned device names the device, the previous device, and the path', async () => {
    const { paths } = await scene();
    const { deviceName } = await runDevice(paths);
    const view = await viewOf(paths);
    expect(view).toMatchObject({ outcome: 'done', state: 'provisioned', error: null });
    expect(view.summary).toBe(`This camera is provisioned as ${deviceName}.`);
    expect(view.warnings.join()).toContain('The previous device thermal-camera-OLD001 is no longer used');
    expect(view.steps.map(({ state }) => state)).toContain('verifyCredentials');
    const page = await pageOf(paths);
    expect(page).toContain('id="provision-state-request" class="state active" data-mark="taken"');
    expect(page).toContain('id="provision-state-provisioned" class="state final" data-mark="done"');
    expect(page).toContain('id="provision-edge-route-request-always" class="edge always" data-mark="taken"');
    expect(page).not.toContain('id="provision-state-backoff" class="state active" data-mark');
    expect(page).toContain('made by thermal-provision 1.2.3');
  });

  it('of a run in backoff says why, for how long, and that there is nothing to do', async () => {
    const { paths } = await scene({ faults: [{ on: 'connect', nth: 1, action: 'close' }] });
    const context = await cutIn(paths, 'backoff');
    const lock = await acquireLock(paths.stateFolder);
    const files = await readDeviceFiles(paths, { now: (context.retryAt ?? 0) - 400 });
    await lock.release();
    const view = deviceView(files);
    expect(view).toMatchObject({ outcome: 'running', state: 'backoff' });
    expect(view.summary).toContain('400 ms');
    expect(view.error?.code).toBe('CONNECTION_LOST');
    expect(view.steps.at(-1)?.note).toMatch(/^Waiting 1 s before the next retry/);
    expect(reportPage(files, '1').text).toContain('1 pause before the next try');
  });

  it('of an interrupted run says how to resume it', async () => {
    const { paths } = await scene();
    await cutIn(paths, 'verifyCredentials');
    const view = await viewOf(paths);
    expect(view).toMatchObject({ outcome: 'waiting', state: 'verifyCredentials' });
    // The same step as in `status`.
    expect(view.facts).toContainEqual(['state', 'verifyCredentials (step 5 of 8)']);
    // The same labels and words as in `status`.
    expect(view.facts).toContainEqual(['configured as', 'thermal-camera-OLD001 on old.example']);
    expect(new Map(view.facts).get('on server')).toMatch(/^one device, thermal-camera-\w+ \(the server has issued/);
    expect(view.command).toBe(`thermal-provision run --dir ${paths.deviceFolder}`);
    expect(await pageOf(paths)).toContain('data-mark="current"');
  });

  it('of a resumed run shows which state was interrupted', async () => {
    const { paths } = await scene();
    await cutIn(paths, 'backup');
    await runDevice(paths);
    const page = await pageOf(paths);
    expect(page).toContain('1 interruption');
    expect(page).toContain('<span class="tag">resumed</span>');
    expect(page).toContain('<span class="duration">interrupted</span>');
  });

  it.each(Object.keys(FAILURES).filter((code): code is FailureCode => code in FAILURES))(
    'of a run that failed with %s shows code, hint and the next command',
    async (code) => {
      const { paths } = await scene();
      const context = await cutIn(paths, 'validate');
      await storeSnapshot(paths, 'failed', { ...context, error: failureOf(code) });
      const view = await viewOf(paths);
      expect(view).toMatchObject({ outcome: 'failed', error: { code, hint: FAILURES[code].hint } });
      expect(view.command).toMatch(/^(?:touch|thermal-provision) /);
      const page = await pageOf(paths);
      expect(page).toContain(`<code>${code}</code>`);
      expect(page).toContain('Cause: ECONNRESET');
      expect(page).toContain('id="provision-state-failed" class="state final" data-mark="failed"');
    },
  );

  it.each(['withdrawn', 'superseded'] as const)('of a run that is %s needs attention', async (state) => {
    const { paths } = await scene();
    const context = await cutIn(paths, 'validate');
    await storeSnapshot(paths, state, context);
    expect(await viewOf(paths)).toMatchObject({ outcome: 'attention', state });
  });

  it('of a device without a run says whether one is requested', async () => {
    const { paths } = await scene();
    expect(await viewOf(paths)).toMatchObject({
      outcome: 'none',
      command: `thermal-provision run --dir ${paths.deviceFolder}`,
    });
    const quiet = await scene({}, { requested: false });
    expect(await viewOf(quiet.paths)).toMatchObject({ outcome: 'none' });
    expect(await pageOf(quiet.paths)).toContain('No step is recorded.');
  });

  it('of a damaged snapshot shows the run of the log', async () => {
    const { paths } = await scene();
    await runDevice(paths);
    await writeFile(paths.snapshot, '{"broken');
    const view = await viewOf(paths);
    expect(view).toMatchObject({ outcome: 'attention', error: { code: 'SNAPSHOT_DAMAGED' }, state: 'provisioned' });
    expect(view.steps.map(({ state }) => state)).toContain('write');
  });

  it('escapes texts from other sources', async () => {
    const { paths } = await scene();
    const context = await cutIn(paths, 'validate');
    const evil = `</style><script>alert(1)</script>"'<img src=x onerror=alert(1)>`;
    const error = { ...failureOf('INTERNAL'), message: evil, hint: evil };
    await storeSnapshot(paths, 'failed', { ...context, deviceName: evil, warnings: [evil], error });
    await writeFile(paths.events, `${JSON.stringify({ event: evil })}\n`);
    const files = await read({ ...paths, deviceFolder: `${paths.deviceFolder}/<b>` });
    const { text } = reportPage(files, '1');
    expect(text).not.toContain('<script>alert');
    expect(text).not.toContain('<img');
    expect(text).not.toContain('/<b>');
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  it('names the files that could not be read', async () => {
    const { paths } = await scene();
    await runDevice(paths);
    await writeFile(paths.provisionJson, '{');
    await chmod(paths.provisionJson, 0o644);
    expect((await viewOf(paths)).warnings.join()).toContain('PROVISION_JSON_INVALID');
  });
});
