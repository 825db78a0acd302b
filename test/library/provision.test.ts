import { describe, expect, expectTypeOf, it } from 'vitest';
import { type ProvisionState, STEPS } from '../../machines/provision.states.ts';
import { FAILURES, type FailureCode } from '../../src/failures/catalogue.ts';
import {
  type LogRecord,
  type ProvisionFailure,
  type ProvisionOptions,
  type ProvisionProgress,
  provision,
} from '../../src/index.ts';
import type { LogRecord as AgentLogRecord } from '../../src/log/log.ts';
import type { AtEnd } from '../support/atEnd.ts';
import { type DeviceFolder, type DeviceFolderOptions, makeDeviceFolder, makeFolder } from '../support/deviceFolder.ts';
import { hintPattern } from '../support/failureRecord.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';
import { startServer } from '../support/server.ts';

/** More folders than the listeners that Node allows on one signal without a warning. */
const FOLDERS = 12;

function device(atEnd: AtEnd, port: number, more: Partial<DeviceFolderOptions> = {}): Promise<DeviceFolder> {
  const provisioning = { timeout_seconds: 5, ...more.provisioning };
  return makeDeviceFolder(atEnd, { port, ...more, provisioning });
}

const dirOf = ({ paths }: DeviceFolder): string => paths.deviceFolder;

/** A signal that is aborted when the run enters a state. */
function abortIn(state: ProvisionState): Pick<ProvisionOptions, 'signal' | 'onProgress'> {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onProgress: (progress) => {
      if (progress.state === state) controller.abort();
    },
  };
}

describe.concurrent('provision', () => {
  it('provisions a device, and reports its progress', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const folder = await device(onTestFinished, server.port);
    const progress: ProvisionProgress[] = [];
    const records: LogRecord[] = [];
    const result = await provision({
      dir: dirOf(folder),
      onProgress: (step) => progress.push(step),
      onLog: (record) => records.push(record),
    });

    expect(result).toMatchObject({ outcome: 'provisioned', exitStatus: 0, failure: null });
    expect(result.deviceName).toBe(server.registry.devices()[0]?.name);
    expect(await provisionedProblems(folder.paths, server)).toEqual([]);
    expect(progress.map(({ state }) => state)).toEqual([...STEPS, 'provisioned']);
    expect(progress[0]).toEqual({
      runId: result.runId,
      state: 'detect',
      step: 1,
      steps: STEPS.length,
      attempt: 1,
      maxAttempts: null,
      deviceName: null,
      retryInMs: null,
      failure: null,
    });
    expect(progress.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 8]);
    expect(progress.at(-1)).toMatchObject({ maxAttempts: 1, deviceName: result.deviceName });
    const end = { event: 'run.provisioned', level: 'info', runId: result.runId };
    expect(records).toContainEqual(expect.objectContaining(end));
  });

  it('has nothing to do without provision.txt', async ({ expect, onTestFinished }) => {
    const folder = await device(onTestFinished, 1, { requested: false });
    expect(await provision({ dir: dirOf(folder) })).toEqual({
      outcome: 'nothing',
      exitStatus: 0,
      runId: null,
      deviceName: null,
      failure: null,
    });
  });

  it('keeps its own files in the given folder', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const folder = await device(onTestFinished, server.port);
    const stateDir = await makeFolder(onTestFinished);
    expect(await provision({ dir: dirOf(folder), stateDir, keepBackups: 1 })).toMatchObject({ outcome: 'provisioned' });
    const paths = { ...folder.paths, stateFolder: stateDir, snapshot: `${stateDir}/snapshot.json` };
    expect(await provisionedProblems(paths, server)).toEqual([]);
  });

  it('reports the pause before another try and its reason, then the failure', async ({ expect, onTestFinished }) => {
    const refuse = { on: 'provisionConnect', action: 'refuse', code: 3 } as const;
    const server = await startServer(onTestFinished, {
      faults: [
        { ...refuse, nth: 1 },
        { ...refuse, nth: 2 },
      ],
    });
    const folder = await device(onTestFinished, server.port, { provisioning: { max_retries: 1 } });
    const progress: ProvisionProgress[] = [];
    const result = await provision({ dir: dirOf(folder), onProgress: (step) => progress.push(step) });
    const code = 'SERVER_UNAVAILABLE';
    expect(result).toMatchObject({ outcome: 'failed', exitStatus: 69, failure: { code, retryable: true } });
    expect(result.failure?.hint).toMatch(hintPattern(code));
    expect(progress.find(({ state }) => state === 'backoff')).toMatchObject({
      attempt: 2,
      maxAttempts: 2,
      retryInMs: 1000,
      failure: { code, retryable: true },
    });
    expect(progress.at(-1)).toMatchObject({ state: 'failed', retryInMs: null, failure: result.failure });
    expect(progress.filter(({ failure }) => failure !== null)).toHaveLength(2);
  });

  it(`provisions ${FOLDERS} folders at once in one process`, async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const folders = await Promise.all(Array.from({ length: FOLDERS }, () => device(onTestFinished, server.port)));
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warn);
    onTestFinished(() => void process.off('warning', warn));
    const { signal } = new AbortController();
    const results = await Promise.all(folders.map((folder) => provision({ dir: dirOf(folder), signal })));
    expect(results.map(({ outcome }) => outcome)).toEqual(folders.map(() => 'provisioned'));
    expect(new Set(results.map(({ runId }) => runId)).size).toBe(FOLDERS);
    expect(warnings).toEqual([]);
    for (const { paths } of folders) expect(await provisionedProblems(paths, server, FOLDERS)).toEqual([]);
  });

  it('fails on a folder that another run of the same process uses', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished, { latencyMs: 300 });
    const folder = await device(onTestFinished, server.port);
    let second: ReturnType<typeof provision> | undefined;
    const first = await provision({
      dir: dirOf(folder),
      onProgress: ({ state }) => {
        if (state === 'request') second = provision({ dir: dirOf(folder) });
      },
    });
    const { hint } = FAILURES.LOCKED;
    expect(await second).toMatchObject({ outcome: 'failed', exitStatus: 75, failure: { code: 'LOCKED', hint } });
    expect(first.outcome).toBe('provisioned');
    expect(await provisionedProblems(folder.paths, server)).toEqual([]);
  });

  it.for(['detect', 'request', 'write'] as const)(
    'resumes after an abort in %s',
    async (state, { expect, onTestFinished }) => {
      const server = await startServer(onTestFinished);
      const folder = await device(onTestFinished, server.port);
      const started = performance.now();
      const given = abortIn(state);
      const cut = await provision({ dir: dirOf(folder), ...given });
      expect(cut).toMatchObject({ outcome: 'interrupted', exitStatus: 75, failure: null });
      expect(performance.now() - started).toBeLessThan(5000);

      const result = await provision({ dir: dirOf(folder) });
      expect(result).toMatchObject({ outcome: 'provisioned', runId: cut.runId });
      expect(await provisionedProblems(folder.paths, server)).toEqual([]);
    },
  );

  it('starts nothing with a signal that is already aborted', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const folder = await device(onTestFinished, server.port);
    expect(await provision({ dir: dirOf(folder), signal: AbortSignal.abort() })).toMatchObject({
      outcome: 'interrupted',
      exitStatus: 75,
    });
    expect(server.registry.counts.provisionRequests).toBe(0);
    expect(await provision({ dir: dirOf(folder) })).toMatchObject({ outcome: 'provisioned' });
  });

  it.for([
    [
      'throw',
      () => {
        throw new Error('the display is off');
      },
    ],
    ['reject', () => Promise.reject(new Error('the display is off'))],
  ] as const)('is not harmed by callbacks that %s', async ([, callback], { expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const folder = await device(onTestFinished, server.port);
    const events: string[] = [];
    const result = await provision({
      dir: dirOf(folder),
      onProgress: callback,
      onLog: ({ event, message }) => {
        if (event === 'callback.failed') events.push(message);
        return callback();
      },
    });
    expect(result.outcome).toBe('provisioned');
    expect(events).toHaveLength(9);
    expect(events[0]).toContain('the display is off');
  });

  it('reports a defect of a callback also when it throws no error', async ({ expect, onTestFinished }) => {
    const folder = await device(onTestFinished, 1, { provisioning: { host: '' } });
    const messages: string[] = [];
    const result = await provision({
      dir: dirOf(folder),
      onProgress: () => Promise.reject('off'),
      onLog: ({ message }) => messages.push(message),
    });
    expect(result.failure?.code).toBe('PROVISION_JSON_INVALID');
    expect(messages).toContain('onProgress failed; the run continues: a thrown string');
  });

  it.for<[Record<string, unknown>, ErrorConstructor, RegExp]>([
    [{}, TypeError, /dir must be/],
    [{ dir: '' }, TypeError, /dir must be/],
    [{ dir: 7 }, TypeError, /dir must be/],
    [{ dir: '/nowhere', stateDir: '' }, TypeError, /stateDir must be/],
    [{ dir: '/nowhere', keepBackups: 0 }, RangeError, /1 to 1000/],
    [{ dir: '/nowhere', keepBackups: 1001 }, RangeError, /1 to 1000/],
    [{ dir: '/nowhere', keepBackups: 1.5 }, RangeError, /1 to 1000/],
  ])('rejects wrong options: %j', async ([options, kind, says], { expect }) => {
    // The types do not bind a program in JavaScript.
    const call: unknown = Reflect.apply(provision, undefined, [options]);
    const error = await Promise.resolve(call).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(kind);
    expect(String(error)).toMatch(says);
  });

  it('fails on a missing folder', async ({ expect }) => {
    const result = await provision({ dir: '/nowhere/at/all' });
    expect(result).toMatchObject({ outcome: 'failed', exitStatus: 66, failure: { code: 'DEVICE_FOLDER_MISSING' } });
  });
});

it('declares exactly the values of the agent', () => {
  expectTypeOf<ProvisionProgress['state']>().toEqualTypeOf<ProvisionState>();
  expectTypeOf<LogRecord>().toEqualTypeOf<AgentLogRecord>();
  expectTypeOf<ProvisionFailure['code']>().toEqualTypeOf<FailureCode>();
  expect(provision).toHaveLength(1);
});
