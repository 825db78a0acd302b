import { describe, expect, it } from 'vitest';
import { recordedRuns } from '../../src/history/recordedRuns.ts';
import { formatJson } from '../../src/log/format.ts';
import type { LogRecord } from '../../src/log/log.ts';
import { escapeHtml, html } from '../../src/report/html.ts';
import { recordedView } from '../../src/report/recording.ts';
import { recordingPage } from '../../src/report/recordingPage.ts';
import { parseEventLines } from '../../src/status/eventLines.ts';
import { cutIn, runDevice, scene } from '../support/agentRun.ts';

async function recordedRecords(): Promise<readonly LogRecord[]> {
  const { paths } = await scene({ faults: [{ on: 'connect', nth: 1, action: 'close' }] });
  const records: LogRecord[] = [];
  const sink = (record: LogRecord): void => void records.push(record);
  await cutIn(paths, 'verifyCredentials', { sink });
  await runDevice(paths, { sink });
  return parseEventLines(records.map(formatJson).join('\n')).records;
}

describe('a recording', () => {
  it('steps through an interrupted run', async () => {
    const runs = recordedRuns(await recordedRecords());
    expect(runs).toHaveLength(1);
    const [recording] = runs;
    if (recording === undefined) throw new Error('nothing was recorded');
    const seen = recording.records.map((_record, index) => recordedView(recording, index + 1).state);
    expect(seen.filter((state, index) => state !== null && state !== seen[index - 1])).toEqual([
      'detect',
      'validate',
      'prepare',
      'request',
      'backoff',
      'request',
      'verifyCredentials',
      'backup',
      'write',
      'finalize',
      'provisioned',
    ]);
    const whole = recordedView(recording, recording.records.length);
    expect(whole).toMatchObject({ outcome: 'done', error: null });
    const verified = whole.steps.filter(({ state }) => state === 'verifyCredentials');
    expect(verified).toMatchObject([
      { attempt: 1, durationMs: null, resumed: false },
      { attempt: 2, resumed: true },
    ]);
    const waiting = recording.records.findIndex(({ event }) => event === 'backoff.waiting');
    expect(recordedView(recording, waiting + 1)).toMatchObject({
      state: 'backoff',
      outcome: 'running',
      error: { code: 'CONNECTION_LOST', hint: expect.stringContaining('use_ssl') },
    });
  });

  it('opens at the start of the latest run, and stays within its lines', async () => {
    const records = await recordedRecords();
    const runs = recordedRuns([...records.map((record) => ({ ...record, runId: 'earlier' })), ...records]);
    const show = (query: string): string => recordingPage('f', runs, new URLSearchParams(query), '1').text;
    expect(show('')).toContain(`line 1 of ${records.length}`);
    // The page has the chart before the first state.
    expect(show('')).toContain('id="provision-state-detect" class="state active">');
    expect(show('')).toContain('No state has been entered yet.');
    expect(show('')).toContain('<a rel="next" href="?run=2&step=2">');
    expect(show('')).toContain('<span class="off">← back</span>');
    expect(show('run=1')).toContain('Run earlier');
    expect(show('step=9999')).toContain(`line ${records.length} of ${records.length}`);
    expect(show('run=0&step=-1')).toContain('line 1 of');
    expect(show('run=x&step=<script>')).not.toContain('<script>"');
  });

  it('shows lines without a run', () => {
    const line = { time: '2026-01-01T00:00:00.000Z', level: 'error', runId: null, state: null, attempt: null } as const;
    const details = { code: 'LOCKED', hint: 'wait', exitStatus: 75, retryable: false, causes: ['x'] };
    const failed = { ...line, event: 'run.failed', message: 'no folder', details };
    const [run] = recordedRuns([failed]);
    expect(run?.runId).toBeNull();
    expect(run && recordedView(run, 1).error).toEqual({
      code: 'LOCKED',
      message: 'no folder',
      hint: 'wait',
      causes: ['x'],
    });
    expect(recordedRuns([])).toEqual([]);
  });
});

describe('a page', () => {
  it('escapes every text, and replaces deceptive characters', () => {
    expect(escapeHtml(`<a href="x" title='y'>&`)).toBe('&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;');
    expect(html`<b>${'<i>'}</b>${html`<u>${1}</u>`}${null}${[html`<s/>`]}`.markup).toBe('<b>&lt;i&gt;</b><u>1</u><s/>');
    expect(html`${'a\u202eb\u0007c\nd'}`.markup).toBe('a\ufffdb\ufffdc\nd');
  });
});
