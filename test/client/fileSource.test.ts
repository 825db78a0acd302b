import { execFile } from 'node:child_process';
import {
  appendFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileSource } from '../../src/client/fileSource.ts';
import type { TemperatureSource } from '../../src/client/temperatureSource.ts';
import { systemClock } from '../../src/time/clock.ts';
import { until } from '../support/until.ts';
import { recordingLog, spot } from './testBroker.ts';

const forever = new AbortController().signal;
const clock = systemClock();
let folder: string;
let path: string;
let log: ReturnType<typeof recordingLog>;
let source: TemperatureSource;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-source-'));
  path = join(folder, 'temperatures.jsonl');
  log = recordingLog();
  source = createFileSource({ path, log, clock });
});
afterEach(async () => {
  await source.close();
  await rm(folder, { recursive: true });
});

const values = async (): Promise<Record<number, number>> => {
  const readings = await source.read([spot(1), spot(2)], forever);
  return Object.fromEntries(readings.map((reading) => [reading.spot, reading.temperature]));
};

describe('the file source', () => {
  it('keeps the last value of each spot, from existing and appended lines', async () => {
    await writeFile(path, '{"1":20,"2":30}\n{"1":21}\n');
    expect(await values()).toEqual({ 1: 21, 2: 30 });
    await appendFile(path, '{"spot":2,"temperature":31}\n');
    expect(await values()).toEqual({ 1: 21, 2: 31 });
  });

  it('joins a line that was written in two parts', async () => {
    await writeFile(path, '{"1":20}\n{"1":2');
    expect(await values()).toEqual({ 1: 20 });
    await appendFile(path, '1}\n');
    expect(await values()).toEqual({ 1: 21 });
    expect(log.lines).toEqual([]);
  });

  it('accepts a last line without a line end', async () => {
    await writeFile(path, '{"1":20}');
    expect(await values()).toEqual({ 1: 20 });
    await writeFile(path, '{"1":21}');
    expect(await values()).toEqual({ 1: 21 });
    expect(log.lines).toEqual([]);
  });

  it.each([
    ['shorter', '{"1":9}\n'],
    ['of the same length', '{"1":21}\n'],
    ['longer', '{"1":21.25}\n'],
    ['much longer', `{"2":5}\n${' \n'.repeat(200)}{"1":21}\n`],
  ])('detects a file that was rewritten in place, %s', async (_, content) => {
    await writeFile(path, '{"1":20}\n');
    expect(await values()).toEqual({ 1: 20 });
    await writeFile(path, content);
    await utimes(path, new Date(), new Date(Date.now() + 1000));
    expect((await values())[1]).not.toBe(20);
    expect(log.lines).toEqual([]);
  });

  it('follows a file that was truncated and filled again', async () => {
    await writeFile(path, '{"1":20}\n{"1":20}\n');
    await values();
    await truncate(path);
    await values();
    await appendFile(path, '{"1":21}\n');
    expect(await values()).toEqual({ 1: 21 });
    expect(log.lines).toEqual([]);
  });

  it('follows a rotation to the new file', async () => {
    await writeFile(path, '{"1":20}\n');
    await values();
    await rename(path, `${path}.1`);
    await expect(values()).rejects.toMatchObject({ code: 'DISK_ERROR', message: expect.stringContaining('ENOENT') });
    await writeFile(path, '{"1":21}\n');
    expect(await values()).toEqual({ 1: 21 });
  });

  it('detects new content with the same ending', async () => {
    const end = `${' '.repeat(100)}\n`;
    await writeFile(path, `{"1":20}\n${end}`);
    expect(await values()).toEqual({ 1: 20 });
    await writeFile(path, `{"1":21}\n${end}`);
    await utimes(path, new Date(), new Date(Date.now() + 1000));
    expect(await values()).toEqual({ 1: 21 });
    await writeFile(`${path}.new`, `{"1":22}\n${end}{"2":30}\n`);
    await rename(`${path}.new`, path);
    expect(await values()).toEqual({ 1: 22, 2: 30 });
  });

  it('reads at most the last mebibyte of a large file, and drops the incomplete first line silently', async () => {
    const line = `{"1":20${' '.repeat(92)}}\n`;
    await writeFile(path, `{"2":30}\n${line.repeat(20_000)}{"1":21}\n`);
    expect(await values()).toEqual({ 1: 21 });
    expect(log.lines).toEqual([]);
    await appendFile(path, '{"1":22}\n');
    expect(await values()).toEqual({ 1: 22 });
  });

  it('uses the modification time of the file as the age of a value', async () => {
    await writeFile(path, '{"1":20}\n');
    const anHourAgo = new Date(Date.now() - 3_600_000);
    await utimes(path, anHourAgo, anHourAgo);
    const [reading] = await source.read([spot(1)], forever);
    const age = clock.monotonic() - (reading?.readAt ?? Number.NaN);
    expect(age).toBeGreaterThan(3_599_000);
    expect(age).toBeLessThan(3_610_000);
  });

  it('keeps the time of a value while nothing is appended', async () => {
    await writeFile(path, '{"1":20}\n');
    const [first] = await source.read([spot(1)], forever);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const [second] = await source.read([spot(1)], forever);
    expect(second).toEqual(first);
  });

  it('warns about a bad line and continues', async () => {
    await writeFile(path, 'nonsense\n{"1":20}\n');
    expect(await values()).toEqual({ 1: 20 });
    expect(log.of('source.bad-line')).toHaveLength(1);
  });

  it('refuses a folder and names it', async () => {
    await mkdir(path);
    await expect(values()).rejects.toMatchObject({ message: expect.stringContaining(path) });
  });

  it('reads nothing twice during concurrent calls', async () => {
    await writeFile(path, '{"1":2');
    await values();
    await appendFile(path, '1}\n{"1":3');
    expect(await Promise.all([values(), values()])).toEqual([{ 1: 21 }, { 1: 21 }]);
  });

  describe('on a FIFO', () => {
    beforeEach(() => promisify(execFile)('mkfifo', [path]));

    const writeFifo = async (text: string): Promise<void> => {
      const handle = await open(path, 'w');
      await handle.writeFile(text);
      await handle.close();
    };

    it('accepts values from one writer after another', async () => {
      expect(await values()).toEqual({});
      await writeFifo('{"1":20}\n');
      await until(async () => (await values())[1] === 20);
      await writeFifo('{"1":21}\n');
      await until(async () => (await values())[1] === 21);
    });

    it('lets one writer after another write without a call of read', async () => {
      await values();
      for (const value of [20, 21, 22]) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        await writeFifo(`{"1":${value}}\n`);
      }
      await until(async () => (await values())[1] === 22);
    });

    it('never blocks the writer, even without a call of read', async () => {
      await values();
      await writeFifo('{"1":20}\n'.repeat(50_000));
      await until(async () => (await values())[1] === 20);
    });

    it('opens a new FIFO with the same name, and then a file', async () => {
      await values();
      await rm(path);
      await promisify(execFile)('mkfifo', [path]);
      await values();
      await writeFifo('{"1":20}\n');
      await until(async () => (await values())[1] === 20);
      await rm(path);
      await writeFile(path, '{"1":21}\n');
      expect(await values()).toEqual({ 1: 21 });
      expect((await stat(path)).isFile()).toBe(true);
    });

    it('leaves nothing open after close', async () => {
      const openTimes = async (): Promise<number> => {
        const descriptors = await readdir('/proc/self/fd');
        const targets = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
        return targets.filter((target) => target === path).length;
      };
      await values();
      await values();
      expect(await openTimes()).toBe(1);
      await source.close();
      await until(async () => (await openTimes()) === 0);
    });
  });
});
