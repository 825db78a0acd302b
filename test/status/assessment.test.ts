import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../src/log/log.ts';
import { assess } from '../../src/status/assessment.ts';
import type { DeviceFiles } from '../../src/status/deviceFiles.ts';
import { present } from '../../src/status/part.ts';
import { CONFIG, filesWith, GRANTED, problem, runIn, STORED } from '../support/statusFiles.ts';

const DONE = { granted: GRANTED, furthestStep: 8 };
const AS_PROVISIONED = { ...CONFIG, deviceId: 'cam-1' };
const event = (name: string, more: Partial<LogRecord> = {}): LogRecord => {
  const base = { time: '2026-11-23T10:00:00.000Z', level: 'info', runId: 'run-1', state: null, attempt: null } as const;
  return { ...base, event: name, message: name, details: {}, ...more };
};
const FAILED = { code: 'DISK_FULL', hint: 'Do this.', exitStatus: 74, retryable: false, causes: [] };
const failedEvent = (code: string, runId: string | null = null): LogRecord =>
  event('run.failed', { runId, level: 'error', message: 'What happened', details: { ...FAILED, code } });
const withEvents = (...records: LogRecord[]) => ({ events: present({ records, skipped: 0 }) });

/** Status word, codes, the next step, and whether the next start has work to do. */
type Expected = readonly [word: string, codes: readonly string[], next: RegExp | null, unfinished: boolean];

const RUN = /thermal-provision run --dir \/device$/;
const TOUCH_AND_RUN = /touch \/device\/provision\.txt && thermal-provision run --dir \/device$/;

const CASES: Readonly<Record<string, readonly [DeviceFiles, Expected]>> = {
  'no device folder': [
    filesWith({}, { folder: problem('DEVICE_FOLDER_MISSING') }),
    ['error', ['DEVICE_FOLDER_MISSING'], /status --dir/, false],
  ],
  'a device folder that this user may not read': [
    filesWith({}, { folder: problem('FILE_NOT_PERMITTED') }),
    ['error', ['FILE_NOT_PERMITTED'], /sudo thermal-provision status/, false],
  ],
  'nothing but a configuration': [filesWith(), ['not started', [], null, false]],
  'an empty folder': [filesWith({ config: present(null) }), ['not started', [], TOUCH_AND_RUN, false]],
  'a fresh request': [filesWith({ requested: true }), ['not started', [], RUN, true]],
  'a fresh request without provision.json': [
    filesWith({ requested: true }, { target: present(null) }),
    ['not started', [], /Correct provision\.json.*run --dir/, true],
  ],
  'a fresh request with a wrong provision.json': [
    filesWith({ requested: true }, { target: problem('PROVISION_JSON_INVALID') }),
    ['not started', [], /Correct provision\.json/, true],
  ],
  'a running agent': [
    filesWith({ requested: true, snapshot: runIn('request'), credentials: STORED }, { holder: 7 }),
    ['running', [], /status --wait/, true],
  ],
  'a running agent that has just started': [
    filesWith({ requested: true }, { holder: 7 }),
    ['running', [], /--wait/, true],
  ],
  'a running agent after a failed run': [
    filesWith(
      { snapshot: { ...runIn('failed'), error: { code: 'DISK_FULL', message: 'm', hint: 'h' } } },
      { holder: 7 },
    ),
    ['running', [], /--wait/, true],
  ],
  'an agent in backoff': [
    filesWith(
      { snapshot: { ...runIn('backoff'), error: { code: 'CONNECTION_REFUSED', message: 'm', hint: 'h' } } },
      { holder: 7 },
    ),
    ['running', ['CONNECTION_REFUSED'], /--wait/, true],
  ],
  'a running agent with files that this user may not read': [
    filesWith({ snapshot: problem('FILE_NOT_PERMITTED') }, { holder: 7 }),
    ['running', ['FILE_NOT_PERMITTED'], /--wait/, true],
  ],
  'files that this user may not read': [
    filesWith({ snapshot: problem('FILE_NOT_PERMITTED'), credentials: problem('FILE_NOT_PERMITTED') }),
    ['error', ['FILE_NOT_PERMITTED', 'FILE_NOT_PERMITTED'], /sudo/, false],
  ],
  'a newer snapshot': [
    filesWith({ snapshot: problem('SNAPSHOT_NEWER') }),
    ['error', ['SNAPSHOT_NEWER'], /Install the newer agent/, false],
  ],
  'newer credentials': [
    filesWith({ credentials: problem('CREDENTIALS_NEWER') }),
    ['error', ['CREDENTIALS_NEWER'], /Install the newer agent/, false],
  ],
  'a damaged snapshot with provision.txt': [
    filesWith({ requested: true, snapshot: problem('SNAPSHOT_DAMAGED') }),
    ['degraded', ['SNAPSHOT_DAMAGED'], RUN, true],
  ],
  'a damaged snapshot with credentials': [
    filesWith({ snapshot: problem('SNAPSHOT_DAMAGED'), credentials: STORED }),
    ['degraded', ['SNAPSHOT_DAMAGED'], RUN, true],
  ],
  'a damaged snapshot that no start reads': [
    filesWith({ snapshot: problem('SNAPSHOT_DAMAGED') }),
    ['degraded', ['SNAPSHOT_DAMAGED'], /thermal-provision reset/, false],
  ],
  'damaged credentials': [
    filesWith({ requested: true, snapshot: runIn('request'), credentials: problem('CREDENTIALS_DAMAGED') }),
    [
      'degraded',
      ['CREDENTIALS_DAMAGED'],
      /Look on tb\.example:1883 for the device cam-1, and delete it.*run --dir/,
      true,
    ],
  ],
  'a mistyped state folder': [
    filesWith({}, { folder: problem('USAGE') }),
    ['error', ['USAGE'], /status --state-dir <state folder>/, false],
  ],
  'a provision.txt that this user may not see': [
    filesWith({ snapshot: problem('SNAPSHOT_DAMAGED') }, { trigger: problem('FILE_NOT_PERMITTED') }),
    ['error', ['FILE_NOT_PERMITTED'], /sudo/, false],
  ],
  'a failed start with a damaged snapshot and damaged credentials': [
    filesWith(
      { requested: true, snapshot: problem('SNAPSHOT_DAMAGED'), credentials: problem('CREDENTIALS_DAMAGED') },
      withEvents(failedEvent('DISK_ERROR')),
    ),
    ['error', ['DISK_ERROR', 'SNAPSHOT_DAMAGED', 'CREDENTIALS_DAMAGED'], RUN, true],
  ],
  'damaged credentials of a provisioned device': [
    filesWith({ snapshot: runIn('provisioned', DONE), credentials: problem('CREDENTIALS_DAMAGED') }),
    ['degraded', ['CREDENTIALS_DAMAGED'], /Start the agent\. It sets the damaged file aside.*run --dir/, true],
  ],
  'credentials without a snapshot': [
    filesWith({ requested: true, credentials: STORED }),
    ['degraded', ['INTERRUPTED'], RUN, true],
  ],
  'credentials without snapshot and trigger': [
    filesWith({ credentials: STORED }),
    ['degraded', ['WITHDRAWN'], TOUCH_AND_RUN, false],
  ],
  "another board's credentials without a snapshot": [
    filesWith({ requested: true, credentials: { ...STORED, foreign: true } }),
    ['degraded', ['FOREIGN_BOARD'], /explain/, false],
  ],
  'an interrupted run': [
    filesWith({ requested: true, snapshot: runIn('request'), credentials: STORED }),
    ['degraded', ['INTERRUPTED'], RUN, true],
  ],
  'a run that was interrupted in backoff': [
    filesWith({
      requested: true,
      snapshot: { ...runIn('backoff'), error: { code: 'CONNECT_TIMEOUT', message: 'm', hint: 'h' } },
      credentials: STORED,
    }),
    ['degraded', ['INTERRUPTED', 'CONNECT_TIMEOUT'], RUN, true],
  ],
  'an interrupted run on a copy': [
    filesWith({ requested: true, snapshot: runIn('request'), credentials: { ...STORED, foreign: true } }),
    ['degraded', ['FOREIGN_BOARD'], /explain/, false],
  ],
  'an interrupted run under another machine-id, perhaps of this board': [
    filesWith({
      requested: true,
      snapshot: runIn('request'),
      credentials: { ...STORED, foreign: true, mayBeThisBoard: true },
    }),
    ['degraded', ['FOREIGN_BOARD'], /doctor/, false],
  ],
  'an interrupted run whose trigger was removed': [
    filesWith({ snapshot: runIn('request'), credentials: STORED }),
    ['degraded', ['WITHDRAWN'], TOUCH_AND_RUN, false],
  ],
  'a run that was interrupted before it generated a name, trigger removed': [
    filesWith({ snapshot: runIn('validate') }),
    ['not started', [], null, false],
  ],
  'a run that was interrupted in its last step, trigger renamed': [
    filesWith({ snapshot: runIn('finalize', { furthestStep: 7 }), credentials: STORED }),
    ['degraded', ['INTERRUPTED'], /run --dir/, true],
  ],
  'a run that was interrupted in restore, trigger removed': [
    filesWith({ snapshot: runIn('restore', { furthestStep: 6 }), credentials: STORED }),
    ['degraded', ['INTERRUPTED'], /run --dir/, true],
  ],
  'a superseded run': [
    filesWith({ requested: true, snapshot: runIn('superseded') }),
    ['degraded', ['INTERRUPTED'], RUN, true],
  ],
  'a superseded run on a copy': [
    filesWith({ requested: true, snapshot: runIn('superseded'), credentials: { ...STORED, foreign: true } }),
    ['degraded', ['FOREIGN_BOARD'], /explain/, false],
  ],
  'a withdrawn run': [
    filesWith({ snapshot: runIn('withdrawn'), credentials: STORED }),
    ['degraded', ['WITHDRAWN'], TOUCH_AND_RUN, false],
  ],
  'a withdrawn run whose trigger was put back': [
    filesWith({ requested: true, snapshot: runIn('withdrawn'), credentials: STORED }),
    ['degraded', ['WITHDRAWN'], RUN, true],
  ],
  'a withdrawn run with nothing left': [filesWith({ snapshot: runIn('withdrawn') }), ['not started', [], null, false]],
  'a withdrawn run with nothing left, requested again': [
    filesWith({ requested: true, snapshot: runIn('withdrawn') }),
    ['not started', [], RUN, true],
  ],
  'a withdrawn run on a copy': [
    filesWith({ snapshot: runIn('withdrawn'), credentials: { ...STORED, foreign: true } }),
    ['degraded', ['FOREIGN_BOARD'], /explain/, false],
  ],
  'a run that was never requested': [filesWith({ snapshot: runIn('notRequested') }), ['not started', [], null, false]],
  'a provisioned device': [
    filesWith({ snapshot: runIn('provisioned', DONE), config: AS_PROVISIONED }),
    ['done', [], null, false],
  ],
  'a provisioned device, requested again': [
    filesWith({ requested: true, snapshot: runIn('provisioned', DONE), config: AS_PROVISIONED }),
    ['done', [], RUN, true],
  ],
  'a provisioned device before its clean-up': [
    filesWith({ snapshot: runIn('provisioned', DONE), credentials: STORED, config: AS_PROVISIONED }),
    ['degraded', ['INTERRUPTED'], /run --dir/, true],
  ],
  'a provisioned device with a warning': [
    filesWith({ snapshot: runIn('provisioned', { ...DONE, warnings: ['odd'] }), config: AS_PROVISIONED }),
    ['degraded', ['WARNINGS'], /^Do what the warning says\.: $/, false],
  ],
  'a provisioned device with a damaged file set aside': [
    filesWith(
      { snapshot: runIn('provisioned', DONE), config: AS_PROVISIONED },
      { setAside: present(['snapshot.json.damaged-20261123T100000.000Z']) },
    ),
    ['degraded', ['SET_ASIDE'], /Keep it for support/, false],
  ],
  'a provisioned device after an earlier reset': [
    filesWith(
      { snapshot: runIn('provisioned', DONE), config: AS_PROVISIONED },
      { setAside: present(['snapshot.json.reset-20261123T100000.000Z']) },
    ),
    ['done', [], null, false],
  ],
  'a provisioned device whose configuration names another device': [
    filesWith({ snapshot: runIn('provisioned', DONE) }),
    ['degraded', ['DEVICE_MISMATCH'], /backups list/, false],
  ],
  'a provisioned device whose configuration names no device': [
    filesWith({ requested: true, snapshot: runIn('provisioned', DONE), config: { ...CONFIG, deviceId: null } }),
    ['degraded', ['DEVICE_MISMATCH'], RUN, true],
  ],
  'a provisioned device without a configuration': [
    filesWith({ snapshot: runIn('provisioned', DONE), config: present(null) }),
    ['degraded', ['CONFIG_MISSING'], /backups list/, false],
  ],
  'a provisioned device with an unreadable configuration': [
    filesWith({ snapshot: runIn('provisioned', DONE), config: problem('CONFIG_UNREADABLE') }),
    ['degraded', ['CONFIG_UNREADABLE'], /backups list/, false],
  ],
  'a failed run without a reason': [
    filesWith({ requested: true, snapshot: runIn('failed') }),
    ['error', ['INTERNAL'], RUN, true],
  ],
  'a failed run of a newer agent': [
    filesWith({ snapshot: { ...runIn('failed'), error: { code: 'LATER', message: 'm', hint: 'h' } } }),
    ['error', ['INTERNAL'], TOUCH_AND_RUN, false],
  ],
  'a start that failed before a run': [
    filesWith({ requested: true }, withEvents(event('run.nothing'), failedEvent('DISK_ERROR'))),
    ['error', ['DISK_ERROR'], RUN, true],
  ],
  'a start that failed while a run was unfinished': [
    filesWith({ snapshot: runIn('request'), credentials: STORED }, withEvents(failedEvent('DISK_FULL', 'run-1'))),
    ['error', ['DISK_FULL'], TOUCH_AND_RUN, true],
  ],
  'a failed run that the log records too': [
    filesWith(
      { requested: true, snapshot: { ...runIn('failed'), error: { code: 'DISK_FULL', message: 'm', hint: 'h' } } },
      withEvents(failedEvent('DISK_ERROR', 'run-1')),
    ),
    ['error', ['DISK_FULL'], RUN, true],
  ],
  'a failed start before another start': [
    filesWith(
      { requested: true },
      withEvents(failedEvent('DISK_ERROR'), event('run.reset', { details: { movedTo: [] } })),
    ),
    ['not started', [], RUN, true],
  ],
  'a failure in the log without a known code': [
    filesWith({ requested: true }, withEvents(failedEvent('LATER'))),
    ['not started', [], RUN, true],
  ],
};

describe('the assessment of', () => {
  it.each(Object.entries(CASES))('%s', (_name, [files, [word, codes, next, unfinished]]) => {
    const assessment = assess(files);
    expect([assessment.word, assessment.errors.map(({ code }) => code), assessment.unfinished]).toEqual([
      word,
      codes,
      unfinished,
    ]);
    for (const { hint } of assessment.errors) expect(hint).not.toBe('hint');
    if (next === null) expect(assessment.next).toBeNull();
    else expect(`${assessment.next?.text}: ${assessment.next?.command ?? ''}`).toMatch(next);
  });
});
