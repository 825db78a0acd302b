import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOG_LEVELS } from '../../src/log/levels.ts';
import type { LogRecord } from '../../src/log/log.ts';
import { winstonSink } from '../../src/log/winstonSink.ts';
import { scratchFolder } from '../config/scratch.ts';
import { bundledScript } from '../support/bundledScript.ts';

const record = (changes: Partial<LogRecord> = {}): LogRecord => ({
  time: '2026-11-23T10:15:30.123Z',
  level: 'info',
  event: 'test.event',
  message: 'a sentence',
  runId: null,
  state: null,
  attempt: null,
  details: {},
  ...changes,
});

describe('winstonSink with a file alone', () => {
  it('writes one line for each record, in order', async () => {
    const path = join(await scratchFolder(), 'log');
    const { sink, close } = winstonSink({
      level: 'debug',
      format: 'text',
      file: { path, only: true, attributes: { mode: 0o640 } },
    });
    for (let i = 0; i < 100; i += 1) sink(record({ message: `line ${i}` }));
    close();
    const lines = (await readFile(path, 'utf8')).split('\n');
    expect(lines).toEqual([
      ...Array.from({ length: 100 }, (_, i) => `2026-11-23T10:15:30.123Z INFO  line ${i} (test.event)`),
      '',
    ]);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
  });

  it.each(LOG_LEVELS)('skips lines less important than %s', async (level) => {
    const path = join(await scratchFolder(), 'log');
    const { sink, close } = winstonSink({
      level,
      format: 'json',
      file: { path, only: true, attributes: { mode: 0o640 } },
    });
    for (const each of LOG_LEVELS) sink(record({ level: each }));
    close();
    const written = (await readFile(path, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).level);
    expect(written).toEqual(LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(level) + 1));
  });
});

/** The output of a program that logs `count` records, then prints "end" on standard output. */
async function run(script: string, args: readonly string[], closeStderr = false) {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  if (closeStderr) child.stderr.destroy();
  else {
    child.stderr.on('data', (chunk) => {
      stderr += String(chunk);
    });
  }
  const [exitStatus] = await once(child, 'close');
  return { stdout, stderr, exitStatus };
}

describe('winstonSink in a program', () => {
  const SOURCE = `
    import { winstonSink } from './src/log/winstonSink.ts';
    const [, , format, count, path, waitMs] = process.argv;
    const file = path ? { file: { path, only: false } } : {};
    const { sink, close } = winstonSink({ level: 'info', format, ...file });
    const record = (message, level = 'info') => ({ time: 'T', level, event: 'e', message, runId: 'r', state: 's', attempt: 1, details: {} });
    if (waitMs) await new Promise((resolve) => setTimeout(resolve, Number(waitMs)));
    for (let i = 0; i < Number(count); i += 1) {
      sink(record('line ' + i + ' ' + 'x'.repeat(200)));
      if (waitMs) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    sink(record('not shown', 'debug'));
    close();
    process.stdout.write('end');
    process.exitCode = 3;`;
  let folder = '';
  let script = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thermal-log-'));
    script = await bundledScript(folder, SOURCE);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('writes text to standard error, and nothing to standard output', async () => {
    const { stdout, stderr, exitStatus } = await run(script, ['text', '1']);
    expect(stderr).toBe(`T INFO  [s] line 0 ${'x'.repeat(200)} (e run=r attempt=1)\n`);
    expect({ stdout, exitStatus }).toEqual({ stdout: 'end', exitStatus: 3 });
  });

  it('loses no line', async () => {
    const { stderr } = await run(script, ['json', '2000']);
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).message.split(' ')[1]);
    expect(lines).toEqual(Array.from({ length: 2000 }, (_, i) => String(i)));
  });

  it('writes the same lines to the file and to standard error', async () => {
    const path = join(await scratchFolder(), 'log');
    const { stderr } = await run(script, ['json', '3', path]);
    expect(await readFile(path, 'utf8')).toBe(stderr);
    expect(stderr.split('\n')).toHaveLength(4);
  });

  it('continues when standard error has no reader', async () => {
    const { stdout, exitStatus } = await run(script, ['text', '20', '', '50'], true);
    expect({ stdout, exitStatus }).toEqual({ stdout: 'end', exitStatus: 3 });
  });
});
