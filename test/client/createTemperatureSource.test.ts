import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTemperatureSource } from '../../src/client/createTemperatureSource.ts';
import type { TemperatureSource } from '../../src/client/temperatureSource.ts';
import { silentLog } from '../../src/log/log.ts';
import { systemClock } from '../../src/time/clock.ts';
import { until } from '../support/until.ts';
import { spot } from './testBroker.ts';

const context = { log: silentLog, clock: systemClock() };

function create(text: string): TemperatureSource {
  const source = createTemperatureSource(text, context);
  onTestFinished(() => source.close());
  return source;
}

const valueOfSpot1 = async (source: TemperatureSource): Promise<number | undefined> =>
  (await source.read([spot(1)], new AbortController().signal))[0]?.temperature;

describe('createTemperatureSource', () => {
  it('creates a simulated source', async () => {
    expect(await valueOfSpot1(create('simulated'))).toBeGreaterThan(20);
  });

  it('runs a command, which may contain colons', async () => {
    const source = create(`command:echo '{"1":25}'; exec sleep 60`);
    await until(async () => (await valueOfSpot1(source)) === 25);
  });

  it('follows a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'source-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'a:b'), '{"1":26}\n');
    expect(await valueOfSpot1(create(`file:${join(folder, 'a:b')}`))).toBe(26);
  });

  it.each([['camera'], ['command:'], ['file:'], ['command'], ['']])('refuses %j', (text) => {
    expect(() => createTemperatureSource(text, context)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
