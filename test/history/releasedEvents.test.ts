/** events.jsonl of version 1.0.0 is read as before. */
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { recordedRuns, summaryOf } from '../../src/history/recordedRuns.ts';
import { EVENTS } from '../../src/log/events.ts';
import type { EventName } from '../../src/log/eventTypes.ts';
import { isEvent } from '../../src/log/recordedEvent.ts';
import { recordedSteps, recordedView } from '../../src/report/recording.ts';
import { snapshotSchema } from '../../src/state/snapshotDocument.ts';
import { parseEventLines } from '../../src/status/eventLines.ts';

const CUT_RUNS = new URL('../proofs/certify/fixtures/v1/', import.meta.url);
const CUT_STATES = await readdir(CUT_RUNS);
const WHOLE_RUNS = new URL('./fixtures/events-1.0.0.jsonl', import.meta.url);
const EVENT_NAMES = Object.keys(EVENTS).filter((name): name is EventName => name in EVENTS);

const stateFile = (state: string, name: string): Promise<string> =>
  readFile(new URL(`${state}/device/provision-state/${name}.kept`, CUT_RUNS), 'utf8');

async function recordsIn(text: Promise<string>) {
  const { records, skipped } = parseEventLines(await text);
  expect(skipped).toBe(0);
  return records;
}

describe.each(CUT_STATES)('the log of a run of version 1.0.0 that was killed in %s', (state) => {
  it('has events of the catalogue alone', async () => {
    for (const record of await recordsIn(stateFile(state, 'events.jsonl'))) {
      expect(isEvent(record, ...EVENT_NAMES), record.event).toBe(true);
    }
  });

  it('has the same states as the snapshot', async () => {
    const steps = recordedSteps(await recordsIn(stateFile(state, 'events.jsonl')));
    expect(steps.at(-1)).toMatchObject({ state, durationMs: null });
    // A run that is killed at once has no snapshot yet.
    const snapshot = await stateFile(state, 'snapshot.json').catch(() => undefined);
    if (snapshot === undefined) return;
    const { history } = snapshotSchema.parse(JSON.parse(snapshot.replaceAll('{{PORT}}', '1883')));
    const stepsOf = (list: readonly { state: string; attempt: number; resumed: boolean }[]) =>
      list.map(({ state: name, attempt, resumed }) => [name, attempt, resumed]);
    expect(stepsOf(steps).slice(0, history.length)).toEqual(stepsOf(history));
  });
});

describe('the log of four runs of version 1.0.0', () => {
  const read = async () => recordedRuns(await recordsIn(readFile(WHOLE_RUNS, 'utf8')));

  it('has events of the catalogue alone', async () => {
    for (const { records } of await read()) {
      for (const record of records) expect(isEvent(record, ...EVENT_NAMES), record.event).toBe(true);
    }
  });

  it('has the end of each run', async () => {
    const summaries = (await read()).map(summaryOf);
    expect(summaries.map((run) => [run?.end, run?.resumes, run?.former])).toEqual([
      ['provisioned', 1, 'thermal-camera-OLD001'],
      ['failed', 0, null],
      ['failed', 0, null],
      ['withdrawn', 0, null],
    ]);
  });

  it('has the steps of a resumed run', async () => {
    const [run] = await read();
    expect(run && recordedView(run, run.records.length)).toMatchObject({
      state: 'provisioned',
      outcome: 'done',
      error: null,
      facts: [
        ['run', 'ef91da1119dcfd5d'],
        ['device', 'thermal-camera-TNEP8N'],
        ['state', 'provisioned'],
        ['attempt', '1'],
        ['agent version', '1.0.0'],
      ],
    });
    const steps = recordedSteps(run?.records ?? []);
    expect(steps.map(({ state, durationMs, attempt, resumed }) => [state, durationMs, attempt, resumed])).toEqual([
      ['detect', 2, 1, false],
      ['validate', 20, 1, false],
      ['prepare', 14, 1, false],
      ['request', 24, 1, false],
      ['backoff', 1000, 1, false],
      ['request', 35, 2, false],
      ['verifyCredentials', null, 1, false],
      ['verifyCredentials', 6, 2, true],
      ['backup', 9, 1, false],
      ['write', 16, 1, false],
      ['finalize', 21, 1, false],
      ['provisioned', null, 1, false],
    ]);
    expect(steps[4]?.note).toMatch(/^Waits 1 s before the next retry: 127\.0\.0\.1:1883 closed/);
  });

  it('has the reason of a pause, without a hint', async () => {
    const [run] = await read();
    const waiting = run?.records.findIndex(({ event }) => event === 'backoff.waiting') ?? -1;
    expect(run && recordedView(run, waiting + 1).error).toMatchObject({
      code: 'CONNECTION_LOST',
      hint: '',
      causes: [],
    });
  });

  it('has the complete failure of a run', async () => {
    const errors = (await read()).map((run) => recordedView(run, run.records.length).error);
    expect(errors.map((error) => error?.code)).toEqual([
      undefined,
      'PROVISION_JSON_INVALID',
      'PROVISION_JSON_MISSING',
      undefined,
    ]);
    const said = errors.map((error) => error && `${error.message}${error.hint && `. ${error.hint}`}`);
    expect(said[1]).toBe(
      '/device/provision.json is not valid JSON: syntax error at line 1, column 2. Correct every problem listed in provision.json, then start again.',
    );
    expect(said[2]).toBe(
      'There is no /device/provision.json. Put provision.json beside provision.txt, then start again.',
    );
  });
});
