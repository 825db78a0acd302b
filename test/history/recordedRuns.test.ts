import { describe, expect, it } from 'vitest';
import { recordedRuns, summaryOf } from '../../src/history/recordedRuns.ts';
import type { LogDetails, LogRecord } from '../../src/log/log.ts';

const record = (runId: string | null, event: string, details: LogDetails = {}): LogRecord => ({
  time: '2026-11-23T09:00:00.000Z',
  level: 'info',
  runId,
  state: null,
  attempt: null,
  event,
  message: `the message of ${event}`,
  details,
});
const started = (runId: string): LogRecord => record(runId, 'run.started', { agentVersion: '1.0.0' });
const failed = (runId: string | null): LogRecord =>
  record(runId, 'run.failed', { code: 'LOCKED', hint: 'Wait.', exitStatus: 75, retryable: false, causes: [] });

describe('the runs in a log', () => {
  it('are separated, each with its end', () => {
    const runs = recordedRuns([
      record(null, 'run.nothing'),
      started('a'),
      record('a', 'run.interrupted'),
      record('a', 'run.resumed', { from: 'write' }),
      record('a', 'run.provisioned', { deviceName: 'cam', server: 's', backup: null, seconds: 1 }),
      record('a', 'device.former', { former: 'cam-9' }),
      started('b'),
      record('b', 'state.entered'),
      started('c'),
      failed('c'),
      record('d', 'state.entered'),
      started('e'),
      record('e', 'run.nothing'),
    ]);
    const summaries = runs.map(summaryOf);
    expect(summaries.map((run) => [run?.runId, run?.end, run?.resumes, run?.former])).toEqual([
      ['a', 'provisioned', 1, 'cam-9'],
      ['b', 'killed', 0, null],
      ['c', 'failed', 0, null],
      ['d', 'killed', 0, null],
      ['e', 'notRequested', 0, null],
    ]);
    expect(summaries.map((run) => run?.ending?.message)).toEqual([
      'the message of run.provisioned',
      undefined,
      'the message of run.failed',
      undefined,
      'the message of run.nothing',
    ]);
  });

  it('have no end again once they were resumed', () => {
    const [run] = recordedRuns([record('a', 'run.interrupted'), record('a', 'run.resumed', { from: 'write' })]);
    expect(run && summaryOf(run)).toMatchObject({ end: 'killed', ending: null, resumes: 1 });
  });

  it('take the lines without a run along, which neither begin nor end them', () => {
    const early = { ...failed(null), time: '2026-11-22T09:00:00.000Z' };
    const runs = recordedRuns([early, started('a'), record(null, 'run.nothing'), started('b'), failed(null)]);
    expect(runs.map(({ runId, records }) => [runId, records.map(({ event }) => event)])).toEqual([
      ['a', ['run.failed', 'run.started']],
      ['b', ['run.nothing', 'run.started', 'run.failed']],
    ]);
    expect(runs.map(summaryOf)).toMatchObject([
      { startedAt: '2026-11-23T09:00:00.000Z', end: 'killed' },
      { startedAt: '2026-11-23T09:00:00.000Z', end: 'killed' },
    ]);
  });

  it('are one without a name when no line names a run', () => {
    const [only] = recordedRuns([failed(null)]);
    expect(only).toMatchObject({ runId: null, records: [{ event: 'run.failed' }] });
    expect(only && summaryOf(only)).toBeUndefined();
    expect(recordedRuns([])).toEqual([]);
  });
});
