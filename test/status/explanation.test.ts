import { describe, expect, it } from 'vitest';
import { ACTIVE_STATES, FINAL_STATES } from '../../machines/provision.states.ts';
import type { LogRecord } from '../../src/log/log.ts';
import type { DeviceFiles } from '../../src/status/deviceFiles.ts';
import { explanation } from '../../src/status/explanation.ts';
import { present } from '../../src/status/part.ts';
import { CONFIG, filesWith, GRANTED, NOW, problem, runIn, STORED } from '../support/statusFiles.ts';

const record = (runId: string | null, event: string, more: Partial<LogRecord> = {}): LogRecord => ({
  time: '2026-11-23T09:00:00.000Z',
  level: 'info',
  runId,
  state: null,
  attempt: null,
  event,
  message: `the message of ${event}`,
  details: {},
  ...more,
});

const FAILED = { code: 'DISK_FULL', hint: 'Do this.', exitStatus: 74, retryable: false, causes: [] };

const withRecords = (...records: LogRecord[]): Partial<DeviceFiles> => ({ events: present({ records, skipped: 0 }) });

/** The sentences of one chapter. */
function chapter(text: string, title: string): string {
  const [, after = ''] = text.split(`${title}\n`);
  return after.split('\n\n')[0] ?? '';
}

describe('the explanation', () => {
  it.each([...ACTIVE_STATES, ...FINAL_STATES])('of a run in %s says in words how it stands', (state) => {
    const files = filesWith({ requested: true, snapshot: runIn(state), credentials: STORED });
    const text = explanation(files);
    expect(chapter(text, 'What happened')).toMatch(
      /Run run-1 of agent 1\.0\.0 with tb\.example:1883 began .*1 minute ago/,
    );
    expect(text).not.toContain('It stands in');
    for (const title of ['What the server holds', 'What the camera does', 'What to do next']) {
      expect(chapter(text, title).trim()).not.toBe('');
    }
  });

  it('of a failure gives code, hint and the command', () => {
    const error = { code: 'DISK_FULL', message: 'No space', hint: 'Free some.' };
    const text = explanation(filesWith({ requested: true, snapshot: { ...runIn('failed'), error } }));
    expect(chapter(text, 'What happened')).toContain('DISK_FULL: No space.\n  Hint: Free some.');
    expect(chapter(text, 'What to do next')).toContain('\n    thermal-provision run --dir /device');
  });

  it('of earlier runs has at most five, and names the devices that they left', () => {
    const runs = ['a', 'b', 'c', 'd', 'e', 'f'].flatMap((runId) => [
      record(runId, 'run.started'),
      record(runId, 'run.failed', { details: FAILED }),
    ]);
    const former = [
      record('g', 'run.started'),
      record('g', 'run.resumed', { details: { from: 'request' } }),
      record('g', 'run.resumed', { details: { from: 'request' } }),
      record('g', 'device.former', { details: { former: 'cam-9' } }),
    ];
    const text = explanation(filesWith({}, withRecords(...runs, ...former)));
    const earlier = chapter(text, 'Earlier runs').trimEnd().split('\n');
    expect(earlier).toHaveLength(5);
    expect(earlier[0]).toMatch(/run c, ended as failed: the message of run\.failed\. Do this\.$/);
    expect(earlier[4]).toMatch(/run g, went on 2 times after interruptions, was cut off without a word$/);
    expect(chapter(text, 'What the server holds')).toContain('to be deleted there unless done: cam-9');
  });

  it('of a failure without a hint has no empty hint', () => {
    const failed = record(null, 'run.failed', {
      message: 'No disk. Mount the card.',
      details: { ...FAILED, hint: '' },
    });
    const happened = chapter(explanation(filesWith({}, withRecords(failed))), 'What happened');
    expect(happened).toContain('DISK_FULL: No disk. Mount the card.');
    expect(happened).not.toContain('Hint:');
  });

  it('of the present run does not repeat it among the earlier ones', () => {
    expect(
      explanation(filesWith({ snapshot: runIn('request') }, withRecords(record('run-1', 'run.started')))),
    ).not.toContain('Earlier runs');
  });

  it('of a pause counts down, of an interruption does not', () => {
    const context = { retryAt: NOW + 2000, waitingFor: 'probe' as const, retries: 1 };
    const snapshot = { ...runIn('backoff', context), attempt: 2 };
    const resumed = { ...snapshot, history: snapshot.history.map((entry) => ({ ...entry, resumed: true })) };
    const working = explanation(filesWith({ requested: true, snapshot: resumed, credentials: STORED }, { holder: 9 }));
    expect(working).toContain('in try 2 of 4; the next probe is in 2 s');
    expect(working).toContain('It was interrupted and went on once.');
    expect(explanation(filesWith({ requested: true, snapshot, credentials: STORED }))).toContain(
      'when it was interrupted',
    );
    const asking = explanation(filesWith({ requested: true, snapshot: runIn('request') }, { holder: 9 }));
    expect(asking).toContain('the agent (process 9) is at work');
  });

  it('of a long run shows its beginning and its end', () => {
    const entry = { state: 'backoff' as const, enteredAt: '2026-11-23T10:00:00.000Z', durationMs: 7, resumed: true };
    const history = Array.from({ length: 60 }, (_, index) => ({ ...entry, attempt: index + 1 }));
    const steps = chapter(explanation(filesWith({ snapshot: { ...runIn('backoff'), history } })), 'Step by step');
    expect(steps.split('\n')).toHaveLength(25);
    expect(steps).toContain('… 36 more: status --long …');
    expect(steps).toContain('backoff (try 60), resumed, 7 ms');
  });

  it.each([
    [
      'nothing at all',
      filesWith(),
      'No run is known here. provision.txt, which asks for one, is not there.',
      'Nothing.',
    ],
    [
      'a fresh request',
      filesWith({ requested: true }),
      'No run is known here. provision.txt asks for one.',
      'run --dir',
    ],
    [
      'a folder that may not be looked into',
      filesWith({}, { trigger: problem('FILE_NOT_PERMITTED'), snapshot: problem('SNAPSHOT_DAMAGED') }),
      'What the latest run did can’t be read. Whether provision.txt asks for one can’t be seen.',
      '',
    ],
    ['an agent that has just begun', filesWith({}, { holder: 9 }), 'The agent (process 9) has just begun.', '--wait'],
    [
      'no folder',
      filesWith({}, { folder: problem('DEVICE_FOLDER_MISSING') }),
      'DEVICE_FOLDER_MISSING: the message',
      'Name the right folder',
    ],
  ])('of %s', (_name, files, happened, next) => {
    const text = explanation(files);
    expect(chapter(text, 'What happened')).toContain(happened);
    expect(chapter(text, 'What to do next')).toContain(next);
  });

  it('says which device the camera works as, and which files may stand for others', () => {
    const snapshot = runIn('provisioned', { granted: GRANTED, backup: 'the-backup' });
    const aside = { setAside: present(['credentials.json.reset-20261123T100000.000Z']) };
    const text = explanation(filesWith({ snapshot, config: { ...CONFIG, deviceId: 'cam-1' } }, aside));
    expect(chapter(text, 'What the camera does')).toContain('works as cam-1');
    expect(chapter(text, 'What the camera does')).toContain('kept in the-backup');
    expect(chapter(text, 'What the server holds')).toContain('credentials.json.reset-20261123T100000.000Z');
    expect(explanation(filesWith({ config: present(null) }))).toContain('no usable thermal_config.json');
  });

  it('of an agent that was killed says so', () => {
    const snapshot = runIn('request');
    expect(explanation(filesWith({ snapshot }, { lockNote: 4242 }))).toContain('Its process 4242 was cut off');
    expect(explanation(filesWith({ snapshot }, { lockNote: 4242, holder: 4242 }))).not.toContain('cut off');
  });

  it('of a lost answer names the device that may exist, and where', () => {
    const snapshot = runIn('request', { requestsOut: 1 });
    const held = chapter(explanation(filesWith({ snapshot, credentials: STORED })), 'What the server holds');
    expect(held).toContain('Unknown. tb.example:1883 may hold a device named cam-1');
    const probed = runIn('backoff', { requestsOut: 1, probed: true });
    expect(explanation(filesWith({ snapshot: probed, credentials: STORED }))).toContain('most likely holds no device');
  });
});
