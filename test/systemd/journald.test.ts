import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { LOG_LEVELS } from '../../src/log/levels.ts';
import { isJournalStream, withPriority } from '../../src/systemd/journald.ts';
import { makeFolder } from '../support/deviceFolder.ts';

describe('withPriority', () => {
  it.each(LOG_LEVELS.map((level, index) => [level, ['<3>', '<4>', '<6>', '<7>'][index]] as const))(
    'gives a line of level %s the syslog priority %s',
    (level, prefix) => {
      expect(withPriority(level, 'a line')).toBe(`${prefix}a line`);
    },
  );

  it('gives every line the priority, because journald makes an entry of each line', () => {
    expect(withPriority('error', 'one\n    two')).toBe('<3>one\n<3>    two');
  });
});

describe('isJournalStream', () => {
  it('is true for the stream that JOURNAL_STREAM names', async ({ onTestFinished }) => {
    const file = await open(join(await makeFolder(onTestFinished), 'stream'), 'w');
    onTestFinished(() => file.close());
    const { dev, ino } = fstatSync(file.fd, { bigint: true });
    expect(isJournalStream({ JOURNAL_STREAM: `${dev}:${ino}` }, file.fd)).toBe(true);
    expect(isJournalStream({ JOURNAL_STREAM: `${dev}:${ino + 1n}` }, file.fd)).toBe(false);
    expect(isJournalStream({ JOURNAL_STREAM: `${dev + 1n}:${ino}` }, file.fd)).toBe(false);
  });

  it.each([undefined, '', 'nonsense', '1'])('is false for JOURNAL_STREAM "%s"', (value) => {
    expect(isJournalStream({ JOURNAL_STREAM: value })).toBe(false);
  });

  it('is false for a closed stream', () => {
    expect(isJournalStream({ JOURNAL_STREAM: '1:2' }, 999_999)).toBe(false);
  });
});

/** Standard error of the program, written to a file. `same`: JOURNAL_STREAM names that file. */
async function written(folder: string, args: readonly string[], same: boolean): Promise<string> {
  const path = join(folder, 'stderr');
  const file = await open(path, 'w');
  try {
    const { dev, ino } = await file.stat({ bigint: true });
    const env = { PATH: process.env.PATH, JOURNAL_STREAM: `${dev}:${same ? ino : ino + 1n}` };
    const child = spawn(process.execPath, [inject('bundle'), ...args], { stdio: ['ignore', 'ignore', file.fd], env });
    await once(child, 'close');
  } finally {
    await file.close();
  }
  return readFile(path, 'utf8');
}

describe('the program under systemd', () => {
  it.for([
    ['a boot without work', (dir: string) => ['run', '--dir', dir], /^<6>\{.*"run\.nothing"/],
    ['log lines of a failure', (dir: string) => ['run', '--dir', `${dir}/absent`], /^<3>\{.*"run\.failed"/m],
    [
      'an error outside of a run',
      (dir: string) => ['report', '--dir', `${dir}/absent`, '--out', `${dir}/x`],
      /^<3>thermal-provision: /,
    ],
  ] as const)('gives %s a priority', async ([_what, args, first], { expect, onTestFinished }) => {
    const folder = await makeFolder(onTestFinished);
    const text = await written(folder, args(folder), true);
    expect(text).toMatch(first);
    for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^<[3467]>/);
  });

  it('gives no priority to lines for another output', async ({ expect, onTestFinished }) => {
    const folder = await makeFolder(onTestFinished);
    expect(await written(folder, ['run', '--dir', folder], false)).toMatch(/^\{.*"run\.nothing"/);
  });
});
