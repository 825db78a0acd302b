import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createCommandSource } from '../../src/client/commandSource.ts';
import type { TemperatureSource } from '../../src/client/temperatureSource.ts';
import { systemClock } from '../../src/time/clock.ts';
import { until } from '../support/until.ts';
import { recordingLog, spot } from './testBroker.ts';

const forever = new AbortController().signal;
const clock = systemClock();
const sources: TemperatureSource[] = [];
afterEach(async () => {
  for (const source of sources.splice(0)) await source.close();
});

function start(command: Parameters<typeof createCommandSource>[0]['command'], restartDelayMs = 10) {
  const log = recordingLog();
  const source = createCommandSource({ command, log, clock, restartDelayMs });
  sources.push(source);
  const values = async (): Promise<Record<number, number>> => {
    const readings = await source.read([spot(1), spot(2), spot(3)], forever);
    return Object.fromEntries(readings.map((reading) => [reading.spot, reading.temperature]));
  };
  return { log, source, values };
}

/** Whether a process runs. A zombie does not count: its parent may collect it late. */
async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) [ZX] /.test(stat);
}

describe('the command source', () => {
  it('keeps the last value of each spot that the command prints', async () => {
    const { values } = start(`echo '{"spot":1,"temperature":20}'; echo '{"1":21.5,"2":30}'; exec sleep 60`);
    await until(async () => (await values())[2] === 30);
    expect(await values()).toEqual({ 1: 21.5, 2: 30 });
  });

  it('reports the time of arrival of a value', async () => {
    const before = clock.monotonic();
    const { source, values } = start(`echo '{"1":20}'; exec sleep 60`);
    await until(async () => (await values())[1] === 20);
    const [reading] = await source.read([spot(1)], forever);
    expect(reading?.readAt).toBeGreaterThanOrEqual(before);
    expect(reading?.readAt).toBeLessThanOrEqual(clock.monotonic());
  });

  it('runs a program with arguments without a shell', async () => {
    const { values } = start([
      process.execPath,
      '-e',
      'console.log(process.argv[1]);setTimeout(()=>{},60000)',
      '{"1":7}',
    ]);
    await until(async () => (await values())[1] === 7);
  });

  it('restarts a command that ends, with growing delays, and logs the reason', async () => {
    const { log, values } = start(`echo '{"1":'$$'e-3}'; echo "no camera" >&2; exit 3`, 5);
    await until(() => log.of('source.command-ended').length >= 3);
    const [first, second, third] = log.of('source.command-ended');
    expect(first).toMatchObject({
      message: expect.stringContaining('status 3'),
      details: { restartInMs: 5, stderr: 'no camera' },
    });
    expect([second, third]).toMatchObject([{ details: { restartInMs: 10 } }, { details: { restartInMs: 20 } }]);
    const value = (await values())[1];
    await until(async () => (await values())[1] !== value);
  });

  it('retries a command that does not exist', async () => {
    const { log } = start(['/no/such/program']);
    await until(() => log.of('source.command-ended').length >= 2);
    expect(log.of('source.command-ended')[0]?.message).toContain('ENOENT');
  });

  it('survives a command with an impossible name', async () => {
    const { log } = start(['a\0b']);
    await until(() => log.of('source.command-ended').length >= 2);
  });

  it('warns about bad lines once, and accepts the good ones', async () => {
    const { log, values } = start(`for i in 1 2 3 4 5; do echo nonsense; done; echo '{"1":20}'; exec sleep 60`);
    await until(async () => (await values())[1] === 20);
    expect(log.of('source.bad-line')).toHaveLength(1);
  });

  it('drops an endless line instead of storing it', async () => {
    const script = `
      process.stdout.write('x'.repeat(300 * 1024), () => {
        process.stdout.write('\\n{"1":20}\\n');
        setTimeout(() => {}, 60000);
      });`;
    const { log, values } = start([process.execPath, '-e', script]);
    await until(async () => (await values())[1] === 20);
    expect(log.of('source.bad-line')[0]?.message).toContain('65536 bytes');
  });

  it('keeps no more than 64 spots', async () => {
    const { log, source } = start(`i=1; while [ $i -le 70 ]; do echo "{\\"$i\\":20}"; i=$((i+1)); done; exec sleep 60`);
    await until(() => log.of('source.bad-line').length === 1);
    const spots = Array.from({ length: 70 }, (_, index) => spot(index + 1));
    expect(await source.read(spots, forever)).toHaveLength(64);
  });

  it('stops the command and its child processes even if they ignore SIGTERM', async () => {
    const { log, source, values } = start(
      `trap '' TERM; sleep 60 & echo "{\\"1\\":1,\\"2\\":\${!}e-3}"; wait; sleep 60`,
    );
    await until(async () => (await values())[1] === 1);
    const pid = Math.round(((await values())[2] ?? 0) * 1000);
    expect(await isAlive(pid)).toBe(true);
    await source.close();
    await until(async () => !(await isAlive(pid)));
    expect(log.of('source.command-ended')).toEqual([]);
  });

  it('does not restart the command after close', async () => {
    const { log, source } = start('exit 1', 30);
    await until(() => log.of('source.command-ended').length === 1);
    await source.close();
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(log.of('source.command-ended')).toHaveLength(1);
    await source.close();
  });
});
