import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseEventLines, readEventLines } from '../../src/status/eventLines.ts';

const line = (event: string, more: object = {}): string =>
  JSON.stringify({
    time: '2026-11-23T10:00:00.000Z',
    level: 'info',
    runId: 'r',
    state: null,
    attempt: 1,
    event,
    message: 'm',
    ...more,
  });

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thermal-events-'));
  path = join(folder, 'events.jsonl');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the lines of events.jsonl', () => {
  it('become records, and further keys become details', () => {
    const { records, skipped } = parseEventLines(`${line('a.b', { code: 'X', causes: ['one'] })}\n\n${line('c.d')}\n`);
    expect(skipped).toBe(0);
    expect(records[0]).toEqual({
      time: '2026-11-23T10:00:00.000Z',
      level: 'info',
      runId: 'r',
      state: null,
      attempt: 1,
      event: 'a.b',
      message: 'm',
      details: { code: 'X', causes: ['one'] },
    });
    expect(records).toHaveLength(2);
  });

  it('of version 1.0.0 get the fields that they lack from their messages', () => {
    const [entered, resumed, old, today] = parseEventLines(
      [
        line('state.entered', { state: 'write', message: 'write' }),
        line('state.entered', { state: 'write', message: 'write (resumed)' }),
        line('run.failed', { message: 'No disk. Mount the card.', code: 'DISK_ERROR' }),
        line('run.failed', { message: 'No disk', code: 'DISK_ERROR', hint: 'Mount the card.' }),
      ].join('\n'),
    ).records;
    expect(entered?.details).toEqual({});
    expect(resumed?.details).toEqual({ resumed: true });
    // The end of the hint in the message is unknown, and the general hint of the code would be wrong.
    expect(old).toMatchObject({ message: 'No disk. Mount the card.', details: { hint: '' } });
    expect(today).toMatchObject({ message: 'No disk', details: { hint: 'Mount the card.' } });
  });

  it.each([
    ['a truncated line', '{"time":"2026-'],
    ['no object', '"text"'],
    ['another shape', line('a.b', { level: 'loud' })],
    ['a nested detail', line('a.b', { detail: { deep: true } })],
    ['no time', line('a.b', { time: 'yesterday' })],
  ])('are skipped and counted if the agent did not write them: %s', (_name, bad) => {
    const { records, skipped } = parseEventLines(`${line('a.b')}\n${bad}\n`);
    expect([records.length, skipped]).toEqual([1, 1]);
  });

  it('are limited in number, and the newest stay', () => {
    const { records, skipped } = parseEventLines(`${line('old.one')}\n`.repeat(3) + `${line('a.b')}\n`.repeat(20_000));
    expect(records).toHaveLength(20_000);
    expect(skipped).toBe(3);
    expect(records[0]?.event).toBe('a.b');
  });
});

describe('the events of a device', () => {
  it('are empty without a file', async () => {
    expect(await readEventLines(path)).toEqual({ value: { records: [], skipped: 0 }, problem: undefined });
  });

  it('are those of events.jsonl.1 and events.jsonl, oldest first', async () => {
    await writeFile(`${path}.1`, `${line('old.one')}\n`);
    await writeFile(path, `${line('new.one')}\nbroken`);
    const { value } = await readEventLines(path);
    expect(value?.records.map(({ event }) => event)).toEqual(['old.one', 'new.one']);
    expect(value?.skipped).toBe(1);
  });

  it.each([
    ['a folder', () => mkdir(path)],
    ['far too large', () => writeFile(path, 'x'.repeat(1024 * 1024 + 1))],
  ])('have a problem of their own if the file is %s', async (_name, spoil) => {
    await spoil();
    const { problem } = await readEventLines(path);
    expect(problem).toMatchObject({
      code: 'EVENTS_UNREADABLE',
      hint: `Nothing depends on ${path}. It can be removed.`,
    });
    expect(problem?.message).toContain(path);
  });
});
