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
  it.each([...ACTIVE_STATES, ...FINAL_STATES])('of a run in %s says in words what the run did', (state) => {
    const files = filesWith({ requested: true, snapshot: runIn(state), credentials: STORED });
    const text = explanation(files);
    expect(chapter(text, 'What happened')).toMatch(
      /Run run-1 of agent 1\.0\.0 with tb\.example:1883 started .*1 minute ago/,
    );
    expect(text).not.toContain(`: ${state}.`);
    for (const title of ['On the server', 'The camera', 'What to do next']) {
      expect(chapter(text, title).trim()).not.toBe('');
    }
  });

  it('of a failure gives code, hint and the command', () => {
    const error = { code: 'DISK_FULL', message: 'No space', hint: 'Free some.' };
    const text = explanation(filesWith({ requested: true, snapshot: { ...runIn('failed'), error } }));
    expect(chapter(text, 'What happened')).toContain('DISK_FULL: No space.\n  Hint: Free some.');
    expect(chapter(text, 'What to do next')).toContain('\n    thermal-provision run --dir /device');
  });

  it('of earlier runs has at most five, and names the devices that they left unused', () => {
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
    expect(earlier[4]).toMatch(/run g, resumed 2 times, did not end normally$/);
    expect(chapter(text, 'On the server')).toContain('No longer used: cam-9. Delete it');
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

  it('does not list the latest run among the earlier runs', () => {
    expect(
      explanation(filesWith({ snapshot: runIn('request') }, withRecords(record('run-1', 'run.started')))),
    ).not.toContain('Earlier runs');
  });

  it('of a pause counts down, of an interruption does not', () => {
    const context = { retryAt: NOW + 2000, waitingFor: 'probe' as const, retries: 1 };
    const snapshot = { ...runIn('backoff', context), attempt: 2 };
    const resumed = { ...snapshot, history: snapshot.history.map((entry) => ({ ...entry, resumed: true })) };
    const working = explanation(filesWith({ requested: true, snapshot: resumed, credentials: STORED }, { holder: 9 }));
    expect(working).toContain('This is attempt 2 of 4.\n  The next probe is in 2 s.');
    expect(working).toContain('The run was interrupted and resumed once.');
    expect(explanation(filesWith({ requested: true, snapshot, credentials: STORED }))).toContain(
      'The run was interrupted in this step.',
    );
    const asking = explanation(filesWith({ requested: true, snapshot: runIn('request') }, { holder: 9 }));
    expect(asking).toContain('The agent is running as process 9.');
  });

  it('of a long run shows its beginning and its end', () => {
    const entry = { state: 'backoff' as const, enteredAt: '2026-11-23T10:00:00.000Z', durationMs: 7, resumed: true };
    const history = Array.from({ length: 60 }, (_, index) => ({ ...entry, attempt: index + 1 }));
    const steps = chapter(explanation(filesWith({ snapshot: { ...runIn('backoff'), history } })), 'Step by step');
    expect(steps.split('\n')).toHaveLength(25);
    expect(steps).toContain('… 36 more (see status --long) …');
    expect(steps).toContain('backoff (time 60), resumed, 7 ms');
  });

  it.each([
    ['nothing at all', filesWith(), 'No run is known in this folder. No provision.txt asks for a run.', 'Nothing.'],
    [
      'a fresh request',
      filesWith({ requested: true }),
      'No run is known in this folder. provision.txt asks for a run.',
      'run --dir',
    ],
    [
      'a folder that this user may not read',
      filesWith({}, { trigger: problem('FILE_NOT_PERMITTED'), snapshot: problem('SNAPSHOT_DAMAGED') }),
      "The files of the latest run can't be read. It is unknown whether provision.txt asks for a run",
      '',
    ],
    [
      'an agent that has just started',
      filesWith({}, { holder: 9 }),
      'The agent (process 9) has just started.',
      '--wait',
    ],
    [
      'no folder',
      filesWith({}, { folder: problem('DEVICE_FOLDER_MISSING') }),
      'DEVICE_FOLDER_MISSING: the message',
      'Give the path of the device folder',
    ],
  ])('of %s', (_name, files, happened, next) => {
    const text = explanation(files);
    expect(chapter(text, 'What happened')).toContain(happened);
    expect(chapter(text, 'What to do next')).toContain(next);
  });

  it('names the device that the camera is configured as, and the credentials set aside', () => {
    const snapshot = runIn('provisioned', { granted: GRANTED, backup: 'the-backup' });
    const aside = { setAside: present(['credentials.json.reset-20261123T100000.000Z']) };
    const text = explanation(filesWith({ snapshot, config: { ...CONFIG, deviceId: 'cam-1' } }, aside));
    expect(chapter(text, 'The camera')).toContain('configured as cam-1');
    expect(chapter(text, 'The camera')).toContain('kept in the-backup');
    expect(chapter(text, 'On the server')).toContain('credentials.json.reset-20261123T100000.000Z');
    expect(explanation(filesWith({ config: present(null) }))).toContain('No usable thermal_config.json');
  });

  it('of an agent that was killed says so', () => {
    const snapshot = runIn('request');
    expect(explanation(filesWith({ snapshot }, { lockNote: 4242 }))).toContain(
      'Process 4242 of the agent did not end normally',
    );
    expect(explanation(filesWith({ snapshot }, { lockNote: 4242, holder: 4242 }))).not.toContain('did not end');
  });

  it('of a lost answer names the device that may exist, and where', () => {
    const snapshot = runIn('request', { requestsOut: 1 });
    const held = chapter(explanation(filesWith({ snapshot, credentials: STORED })), 'On the server');
    expect(held).toContain('Unknown. A device named cam-1 may exist on tb.example:1883');
    const probed = runIn('backoff', { requestsOut: 1, probed: true });
    expect(explanation(filesWith({ snapshot: probed, credentials: STORED }))).toContain('Probably no device cam-1 on');
    const sent = runIn('failed', { requestsOut: 1 });
    const kept = explanation(filesWith({ snapshot: sent, credentials: STORED }));
    expect(kept).toContain('The next run asks the server. You can also look there.');
    // Without its token no run can ask.
    const lost = explanation(filesWith({ snapshot: sent }));
    expect(lost).toContain('came back. Look there.');
    expect(lost).not.toContain('asks the server');
  });
});
