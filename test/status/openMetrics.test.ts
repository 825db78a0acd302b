import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { PROVISION_STATES } from '../../machines/provision.states.ts';
import { FAILURES } from '../../src/failures/catalogue.ts';
import { type DeviceStatus, STATUS_EXIT } from '../../src/status/deviceStatus.ts';
import { makeStatus } from '../../src/status/makeStatus.ts';
import { openMetrics } from '../../src/status/openMetrics.ts';
import { present } from '../../src/status/part.ts';
import { CONFIG, filesWith, GRANTED, problem, runIn } from '../support/statusFiles.ts';

const nothing = makeStatus(filesWith({ config: present(null) }));
const provisioned = makeStatus(
  filesWith({ snapshot: runIn('provisioned', { granted: GRANTED }), config: { ...CONFIG, deviceId: 'cam-1' } }),
);
const failed = makeStatus(
  filesWith({
    requested: true,
    snapshot: { ...runIn('failed'), error: { code: 'DISK_FULL', message: 'm', hint: 'h' } },
  }),
);
const noFolder = makeStatus(filesWith({}, { folder: problem('DEVICE_FOLDER_MISSING') }));

/** The samples, by name and labels. */
function samples(status: DeviceStatus): Record<string, number> {
  const lines = openMetrics(status, '1.2.3')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at).replace('thermal_provision_', ''), Number(line.slice(at + 1))];
    }),
  );
}

const namesOf = (status: DeviceStatus): string[] =>
  [...new Set(Object.keys(samples(status)).map((key) => key.replace(/\{.*/, '')))].sort();

describe('the status as metrics', () => {
  it('says word, state and errors of a failed run', () => {
    expect(samples(failed)).toMatchObject({
      'status{status="error"}': 1,
      'status{status="done"}': 0,
      'state{state="failed"}': 1,
      'state{state="none"}': 0,
      errors: 1,
      'error{code="DISK_FULL"}': 1,
      requested: 1,
    });
  });

  it('says word, state and device of a provisioned camera', () => {
    expect(samples(provisioned)).toMatchObject({
      [`info{version="1.2.3",run_version="${provisioned.run?.agentVersion}",device="cam-1",server="tb.example:1883"}`]: 1,
      'status{status="done"}': 1,
      'state{state="provisioned"}': 1,
      errors: 0,
      requested: 0,
      configured: 1,
    });
  });

  it('says that a camera without a configuration has none', () => {
    expect(samples(nothing)).toMatchObject({
      configured: 0,
      requested: 0,
      run_attempt: 0,
      run_start_timestamp_seconds: 0,
    });
    expect(samples(nothing)).toMatchObject({ 'status{status="not started"}': 1, interrupted: 0 });
  });

  it('has the same names for a camera without a run, except those of states and errors that did not occur', () => {
    const later = ['error', 'run_state_duration_seconds'];
    expect(namesOf(failed).filter((name) => !later.includes(name))).toEqual(
      namesOf(nothing).filter((name) => !later.includes(name)),
    );
    expect(namesOf(nothing)).not.toContain('error');
  });

  it('has one sample for each word and each state', () => {
    const keys = Object.keys(samples(nothing));
    for (const word of Object.keys(STATUS_EXIT)) expect(keys).toContain(`status{status="${word}"}`);
    for (const state of PROVISION_STATES) expect(keys).toContain(`state{state="${state}"}`);
    expect(Object.entries(samples(nothing)).filter(([key, value]) => key.startsWith('state{') && value === 1)).toEqual([
      ['state{state="none"}', 1],
    ]);
  });

  it('has times in seconds', () => {
    const status: DeviceStatus = {
      ...failed,
      checkedAt: '2026-01-01T00:10:00.000Z',
      run: { id: 'r', startedAt: '2026-01-01T00:00:00.500Z', agentVersion: '1.0.0' },
      state: { name: 'failed', step: 3, steps: 8, since: '2026-01-01T00:00:31.000Z', interrupted: false },
      history: [
        { state: 'request', enteredAt: '', durationMs: 1500, attempt: 1, resumed: false },
        { state: 'request', enteredAt: '', durationMs: 1000, attempt: 2, resumed: false },
        { state: 'failed', enteredAt: '', durationMs: null, attempt: 1, resumed: false },
      ],
    };
    expect(samples(status)).toMatchObject({
      checked_timestamp_seconds: 1_767_226_200,
      run_start_timestamp_seconds: 1_767_225_600.5,
      run_duration_seconds: 30.5,
      'run_state_duration_seconds{state="request"}': 2.5,
      'run_state_duration_seconds{state="failed"}': 0,
    });
    const running = { ...status, state: { ...failed.state, name: 'request', step: 3, steps: 8, since: '' } };
    expect(samples({ ...running, state: { ...running.state, interrupted: true } }).run_duration_seconds).toBe(599.5);
  });

  it('has no negative and no invalid time, whatever the clock of the camera said', () => {
    const run = { id: 'r', startedAt: 'yesterday', agentVersion: '' };
    expect(samples({ ...failed, run }).run_start_timestamp_seconds).toBe(0);
    const later = { ...run, startedAt: '2999-01-01T00:00:00Z' };
    expect(samples({ ...failed, run: later }).run_duration_seconds).toBe(0);
  });

  it('has only codes and states that this version knows, so that no file makes endlessly many series', () => {
    const [error] = failed.errors;
    if (error === undefined) throw new Error('a failed run has an error');
    const strange = { ...error, code: 'CODE_OF_A_LATER_VERSION' };
    const status: DeviceStatus = {
      ...failed,
      errors: [strange, { ...strange, code: 'X' }, error],
      history: [{ state: 'dance', enteredAt: '', durationMs: 1, attempt: 1, resumed: false }],
    };
    const found = Object.keys(samples(status)).filter((key) => /^(error|run_state_duration_seconds)\{/.test(key));
    expect(found).toEqual([
      'error{code="OTHER"}',
      'error{code="DISK_FULL"}',
      'run_state_duration_seconds{state="OTHER"}',
    ]);
    for (const code of Object.keys(FAILURES)) {
      expect(Object.keys(samples({ ...failed, errors: [{ ...error, code }] }))).toContain(`error{code="${code}"}`);
    }
  });

  it('escapes what would end a label', () => {
    const text = openMetrics({ ...nothing, device: 'a"b\\c\nd' }, '1');
    expect(text).toContain('device="a\\"b\\\\c\\nd"');
  });

  it('has a text for each name, and says at its end that it is whole', () => {
    const text = openMetrics(failed, '1');
    for (const name of namesOf(failed)) {
      expect(text).toContain(`# HELP thermal_provision_${name} `);
      expect(text).toContain(`# TYPE thermal_provision_${name} gauge\n`);
    }
    expect(text.endsWith('\n# EOF\n')).toBe(true);
  });

  it.skipIf(spawnSync('promtool', ['--version']).error !== undefined).each([
    ['without a run', nothing],
    ['after a failure', failed],
    ['after a success', provisioned],
    ['of a missing folder', noFolder],
  ])("is accepted by Prometheus' own check, style included: %s (needs promtool)", (_when, status) => {
    const input = openMetrics(status, '1');
    expect(execFileSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' })).toBe('');
  });
});
