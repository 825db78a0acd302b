import { describe, expect, it } from 'vitest';
import { FAILURES, type FailureCode } from '../../src/failures/catalogue.ts';
import { makeStatus } from '../../src/status/makeStatus.ts';
import { present } from '../../src/status/part.ts';
import { statusText } from '../../src/status/statusText.ts';
import { CONFIG, filesWith, GRANTED, NOW, problem, runIn, STORED } from '../support/statusFiles.ts';

const ESC = String.fromCharCode(27);
const codes = Object.entries(FAILURES);
const isCode = (code: string): code is FailureCode => Object.hasOwn(FAILURES, code);

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

function failedWith(code: string, hint: string, requested: boolean): string {
  const snapshot = {
    ...runIn('failed', { furthestStep: 3 }),
    error: { code, message: `It went wrong: ${code}`, hint },
  };
  return statusText(makeStatus(filesWith({ requested, snapshot, credentials: STORED })));
}

describe('the status of a run that failed', () => {
  it.each(codes)('with %s names the code, the hint and a command', (code, { hint }) => {
    for (const requested of [true, false]) {
      const text = failedWith(code, hint, requested);
      expect(text).toMatch(/^status: error\n/);
      expect(text).toContain(`error:           ${code}: It went wrong: ${code}\n`);
      expect(text).toContain(`hint:            ${hint}\n`);
      expect(lastLine(text)).toMatch(/^next: {12}\S.*: .*thermal-provision (run|doctor|status --wait) --dir \/device$/);
    }
  });

  it('is an exit status of 1 for every code', () => {
    for (const [code, { hint }] of codes) {
      expect(isCode(code)).toBe(true);
      const snapshot = { ...runIn('failed'), error: { code, message: 'm', hint } };
      expect(makeStatus(filesWith({ snapshot })).exitStatus).toBe(1);
    }
  });
});

describe('the status of a camera without a request', () => {
  it('names the folder, and what may be meant as provision.txt and provision.json', () => {
    const nearMisses = { trigger: ['"provision.txt.txt"'], provisionJson: ['"provision.jsn"'] };
    const text = statusText(makeStatus(filesWith({}, { target: present(null), nearMisses })));
    expect(text).toMatch(/^status: not started\n/);
    expect(text).toContain('trigger:         no provision.txt in /device\n');
    expect(text).toContain('warning:         provision.txt is missing; perhaps meant: "provision.txt.txt"\n');
    expect(text).toContain('warning:         provision.json is missing; perhaps meant: "provision.jsn"\n');
    expect(statusText(makeStatus(filesWith()))).not.toContain('warning');
  });

  it('names what may be meant as the provision.json of a request', () => {
    const nearMisses = { trigger: [], provisionJson: ['"provision.jsn"'] };
    const { warnings } = makeStatus(filesWith({ requested: true }, { target: present(null), nearMisses }));
    expect(warnings).toEqual([
      'provision.txt is present, but provision.json is missing; perhaps meant: "provision.jsn"',
    ]);
  });
});

describe('the status of a run that repaired the configuration', () => {
  const repaired = (runId: string) => ({
    ...{ time: '2026-11-23T10:00:00.000Z', level: 'warn' as const, runId, state: null, attempt: null },
    ...{ event: 'config.base', message: 'It was repaired', details: {} },
  });
  const snapshot = runIn('provisioned', { granted: GRANTED, furthestStep: 8 });
  const files = (runId: string, warnings: string[] = []) =>
    filesWith(
      {
        snapshot: { ...snapshot, context: { ...snapshot.context, warnings } },
        config: { ...CONFIG, deviceId: 'cam-1' },
      },
      { events: present({ records: [repaired(runId)], skipped: 0 }) },
    );

  it('says so, and is done: nobody has to act', () => {
    expect(makeStatus(files('run-1'))).toMatchObject({ status: 'done', warnings: ['It was repaired'] });
  });

  it('says it once, and only of the latest run', () => {
    expect(makeStatus(files('run-0')).warnings).toEqual([]);
    expect(makeStatus(files('run-1', ['It was repaired'])).warnings).toEqual(['It was repaired']);
  });
});

describe('the status text', () => {
  it('of a provisioned device', () => {
    const context = { granted: GRANTED, furthestStep: 8, previousDeviceId: 'cam-9', backup: 'the-backup' };
    const config = { ...CONFIG, deviceId: 'cam-1' };
    expect(statusText(makeStatus(filesWith({ snapshot: runIn('provisioned', context), config })))).toBe(
      `status: done
device:          cam-1
previous device: cam-9 (no longer used: delete it on its server)
server:          tb.example:1883
on server:       one device, cam-1 (the server has issued its credentials)
state:           provisioned (step 8 of 8)
since:           2026-11-23T10:00:00.000Z (1 minute ago)
run:             run-1, started 2026-11-23T10:00:00.000Z (1 minute ago)
backup:          the-backup
`,
    );
  });

  it('of an agent in backoff counts down', () => {
    const context = { furthestStep: 3, retries: 2, retryAt: NOW + 3500, waitingFor: 'retry' as const };
    const error = { code: 'CONNECT_TIMEOUT', message: 'no answer', hint: 'look' };
    const snapshot = { ...runIn('backoff', context), attempt: 3, error };
    const text = statusText(makeStatus(filesWith({ requested: true, snapshot, credentials: STORED }, { holder: 42 })));
    expect(text).toContain('state:           backoff (step 4 of 8)\n');
    expect(text).toContain('attempt:         3 of 4\n');
    expect(text).toContain('waiting:         next retry in 4 s (2026-11-23T10:01:03.500Z)\n');
    expect(text).toContain('agent:           running as process 42\n');
    expect(text).toContain('error:           CONNECT_TIMEOUT: no answer\n');
  });

  it('names the configured device, the files set aside and the devices on the server', () => {
    const config = { ...CONFIG, deviceId: 'cam-0' };
    const files = filesWith(
      { requested: true, snapshot: runIn('request', { requestsOut: 1 }), credentials: STORED, config },
      { setAside: present(['snapshot.json.damaged-1', 'credentials.json.foreign-2']) },
    );
    const text = statusText(makeStatus(files));
    expect(text).toContain('configured as:   cam-0 (in thermal_config.json)\n');
    expect(text).toContain('on server:       unknown, possibly cam-1 (a request may have been sent, and');
    expect(text).toContain('trigger:         provision.txt is present\n');
    expect(text).toContain('set aside:       snapshot.json.damaged-1, credentials.json.foreign-2\n');
  });

  it('of a pause that is over, or out of the range of a date, counts down to 0', () => {
    const paused = (retryAt: number) =>
      makeStatus(
        filesWith({ snapshot: runIn('backoff', { retryAt, waitingFor: null }), credentials: STORED }, { holder: 42 }),
      ).retry;
    expect(paused(NOW - 5000)).toMatchObject({ inSeconds: 0, waitingFor: 'retry' });
    expect(paused(Number.MAX_SAFE_INTEGER)).toBeNull();
  });

  it('of a run under TLS says so', () => {
    const target = { host: 'h', port: 8883, useSsl: true, name: { source: 'fixed', name: 'n' } as const, digest: '' };
    const text = statusText(makeStatus(filesWith({ requested: true }, { target: present(target) })));
    expect(text).toContain('server:          h:8883 (TLS)\n');
  });

  it('sends no control character of a file to the terminal', () => {
    const evil = `evil${ESC}[2J\nstatus: done\r`;
    const snapshot = {
      ...runIn('failed', { deviceName: evil, warnings: [evil] }),
      savedAt: evil,
      startedAt: evil,
      history: [{ state: 'failed' as const, enteredAt: evil, durationMs: 5, attempt: 2, resumed: true }],
      error: { code: 'DISK_FULL', message: evil, hint: evil },
    };
    const record = { time: '2026-11-23T10:00:00Z', level: 'warn' as const, runId: null, state: null, attempt: null };
    const records = [{ ...record, event: evil, message: evil, details: {} }];
    const files = filesWith(
      { snapshot, config: { ...CONFIG, deviceId: evil } },
      { events: present({ records, skipped: 0 }) },
    );
    const text = statusText(makeStatus(files), true);
    expect(text).not.toContain(ESC);
    expect(text).not.toContain('\r');
    expect(text.match(/^status:/gm)).toHaveLength(1);
    expect(text).toContain('evil?[2J');
  });

  it('with --long has the history with durations, and the last events', () => {
    const enteredAt = '2026-11-23T10:00:00.000Z';
    const snapshot = {
      ...runIn('request'),
      history: [
        { state: 'detect' as const, enteredAt, durationMs: 12, attempt: 1, resumed: false },
        { state: 'request' as const, enteredAt, durationMs: 90_000, attempt: 2, resumed: true },
        { state: 'backoff' as const, enteredAt, durationMs: null, attempt: 1, resumed: false },
      ],
    };
    const record = { time: enteredAt, level: 'info' as const, runId: null, state: null, attempt: null, details: {} };
    const records = Array.from({ length: 30 }, (_, index) => ({ ...record, event: 'e.e', message: `number ${index}` }));
    const text = statusText(makeStatus(filesWith({ snapshot }, { events: present({ records, skipped: 0 }) })), true);
    expect(text).toMatch(/^ {2}\S+ {2}detect +12 ms$/m);
    expect(text).toMatch(/^ {2}\S+ {2}request +1 min 30 s {2}time 2, resumed$/m);
    expect(text).toMatch(/^ {2}\S+ {2}backoff$/m);
    expect(text.match(/e\.e: number/g)).toHaveLength(20);
    expect(text).toContain('number 29');
    expect(statusText(makeStatus(filesWith()), true)).not.toMatch(/history|events/);
  });

  it('shows a hint once when two errors share it', () => {
    const shut = problem('FILE_NOT_PERMITTED');
    const text = statusText(makeStatus(filesWith({ snapshot: shut, credentials: shut })));
    expect(text.match(/^error:/gm)).toHaveLength(2);
    expect(text.match(/^hint:/gm)).toHaveLength(1);
  });

  it('does not call the configured device unused', () => {
    const context = { granted: GRANTED, furthestStep: 8, previousDeviceId: 'cam-0' };
    expect(makeStatus(filesWith({ snapshot: runIn('provisioned', context) })).formerDevice).toBeNull();
  });

  it('warns of a missing provision.json, and of unreadable files', () => {
    const files = filesWith({ requested: true }, { target: present(null), events: problem('EVENTS_UNREADABLE') });
    expect(makeStatus(files).warnings).toEqual([
      'provision.txt is present, but provision.json is missing',
      'the message of EVENTS_UNREADABLE',
    ]);
    const missing = filesWith({}, { folder: problem('DEVICE_FOLDER_MISSING'), events: problem('DISK_ERROR') });
    expect(makeStatus(missing).warnings).toEqual([]);
  });

  it("does not know whether provisioning is requested if it can't read the folder", () => {
    expect(makeStatus(filesWith({}, { trigger: problem('FILE_NOT_PERMITTED') })).requested).toBeNull();
  });

  it('quotes a command for the shell', () => {
    const paths = { ...filesWith().paths, deviceFolder: "/it's here", stateFolder: '/elsewhere' };
    const text = statusText(makeStatus(filesWith({ requested: true }, { paths })));
    expect(lastLine(text)).toContain("thermal-provision run --dir '/it'\\''s here' --state-dir /elsewhere");
  });
});

describe('the status of a device whose files a reboot loses', () => {
  const volatile = 'A reboot loses what provisioning writes: it is in RAM';

  it('says so after a success, which stays a success', () => {
    const snapshot = runIn('provisioned', { granted: GRANTED });
    const files = filesWith({ snapshot, config: { ...CONFIG, deviceId: GRANTED.deviceName } }, { volatile });
    expect(makeStatus(files)).toMatchObject({ status: 'done', exitStatus: 0, warnings: [volatile] });
  });

  it('says so before the first run, but not where provisioning was never requested', () => {
    expect(makeStatus(filesWith({ requested: true }, { volatile })).warnings).toEqual([volatile]);
    expect(makeStatus(filesWith({}, { volatile })).warnings).toEqual([]);
  });

  it('does not say it twice after a refusal', () => {
    const snapshot = { ...runIn('failed'), error: { code: 'VOLATILE_STORAGE', message: volatile, hint: 'h' } };
    expect(makeStatus(filesWith({ requested: true, snapshot }, { volatile })).warnings).toEqual([]);
  });
});
