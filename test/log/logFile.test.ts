/** The log file of normal operation: what happens when it can't be written, and when logrotate moves it. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { LogRecord } from '../../src/log/log.ts';
import { isEvent } from '../../src/log/recordedEvent.ts';
import { type WinstonSink, type WinstonSinkOptions, winstonSink } from '../../src/log/winstonSink.ts';
import { scratchFolder } from '../config/scratch.ts';
import { codeBlocks, readPage } from '../docs/markdown.ts';
import { hasProgram } from '../packaging/debianPackage.ts';

const line = (message: string): LogRecord => ({
  time: '2026-11-23T10:15:30.123Z',
  level: 'info',
  event: 'test.event',
  message,
  runId: null,
  state: null,
  attempt: null,
  details: {},
});

interface OpenLog extends WinstonSink {
  readonly path: string;
  /** The records on standard error. */
  printed(): LogRecord[];
}

/** A log with a file in `folder`, which may be missing. */
function openLog(folder: string, { only, ...more }: { only: boolean } & Partial<WinstonSinkOptions>): OpenLog {
  let text = '';
  const write = (chunk: string): void => {
    text += chunk;
  };
  // winston writes to the standard error of the global console.
  vi.stubGlobal('console', { ...console, _stderr: { write } });
  onTestFinished(() => void vi.unstubAllGlobals());
  const path = join(folder, 'client.log');
  const file = { path, only, attributes: { mode: 0o640 } };
  const log = winstonSink({ level: 'info', format: 'json', file, ...more });
  onTestFinished(() => log.close());
  const printed = () =>
    text
      .trim()
      .split('\n')
      .filter((each) => each !== '')
      .map((each) => JSON.parse(each));
  return { ...log, path, printed };
}

const messagesIn = async (path: string): Promise<string[]> =>
  (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .map((each) => JSON.parse(each).message);

describe("a log file that can't be written", () => {
  it('is named once on standard error, which gets the lines until the file can be written', async () => {
    const folder = join(await scratchFolder(), 'logs');
    const log = openLog(folder, { only: true });
    for (const message of ['one', 'two']) log.sink(line(message));
    const [about, ...lines] = log.printed();
    expect(about).toMatchObject({
      event: 'log.unwritable',
      level: 'error',
      message: `Can't write the log file ${log.path}: ENOENT (its folder does not exist); log lines go to standard error`,
      file: log.path,
    });
    expect(lines.map(({ message }) => message)).toEqual(['one', 'two']);

    await mkdir(folder);
    log.reopen();
    for (const message of ['three', 'four']) log.sink(line(message));
    const back = `The log file ${log.path} is written again`;
    expect(log.printed().slice(3)).toMatchObject([{ message: 'three' }, { event: 'log.writable', message: back }]);
    expect(await messagesIn(log.path)).toEqual(['three', back, 'four']);
  });

  it('is named again when it fails again, after the line that it did not get', async () => {
    const folder = await scratchFolder();
    const log = openLog(folder, { only: true });
    log.sink(line('one'));
    expect(log.printed()).toEqual([]);
    await rm(folder, { recursive: true });
    for (const message of ['two', 'three']) log.sink(line(message));
    expect(log.printed().map(({ event, message }) => (event === 'test.event' ? message : event))).toEqual([
      ...['two', 'log.unwritable', 'three'],
    ]);
  });

  it('is named at each level, and beside the lines when standard error gets them anyway', async () => {
    const log = openLog(join(await scratchFolder(), 'logs'), { only: false, level: 'error' });
    for (const message of ['one', 'two']) log.sink(line(message));
    expect(log.printed().map(({ event }) => event)).toEqual(['log.unwritable']);
  });

  it('has lines with the fields of the catalogue', async () => {
    const sink = winstonSink({ level: 'info', format: 'json' });
    onTestFinished(() => sink.close());
    const details = { file: '/log' };
    expect(isEvent({ ...line('x'), event: 'log.unwritable', details }, 'log.unwritable')).toBe(true);
    expect(isEvent({ ...line('x'), event: 'log.writable', details }, 'log.writable')).toBe(true);
  });
});

const hasLogrotate = await hasProgram('logrotate');
if (!hasLogrotate) console.log('SKIPPED: the rotation of the log file, logrotate is not installed');

describe.skipIf(!hasLogrotate)('logrotate with the configuration of the page about operation', () => {
  const [shown = ''] = codeBlocks(readPage('docs/operate.md'), 'text').filter((block) => block.includes('rotate'));

  it.each([
    ['moves the file', ''],
    ['moves the file and creates a new one', 'create 0640'],
    ['copies and empties the file', 'copytruncate'],
  ])('%s, and no line is lost', async (_what, more) => {
    const folder = await scratchFolder();
    const log = openLog(folder, { only: true });
    for (const message of ['one', 'two']) log.sink(line(message));
    const text = shown
      .replace('/var/log/thermal-camera', folder)
      .replace(/^ +su .*\n/m, '')
      .replace('    compress\n', `    ${more}\n`);
    expect(text).not.toBe(shown);
    const settings = join(await scratchFolder(), 'logrotate.conf');
    await writeFile(settings, text, { mode: 0o600 });
    await promisify(execFile)('logrotate', ['--force', '--state', `${settings}.state`, settings]);
    for (const message of ['three', 'four']) log.sink(line(message));
    const names = (await readdir(folder)).sort();
    expect(names).toEqual(['client.log', expect.stringMatching(/^client\.log-\d{8}$/)]);
    expect(await messagesIn(join(folder, names[1] ?? ''))).toEqual(['one', 'two']);
    expect(await messagesIn(log.path)).toEqual(['three', 'four']);
    expect(log.printed()).toEqual([]);
  });
});
