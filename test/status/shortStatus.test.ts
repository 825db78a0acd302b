import { describe, expect, it } from 'vitest';
import { type DeviceStatus, statusSchema } from '../../src/status/deviceStatus.ts';
import { makeStatus } from '../../src/status/makeStatus.ts';
import { shortStatusJson } from '../../src/status/shortStatus.ts';
import { statusJson } from '../../src/status/statusJson.ts';
import { filesWith, GRANTED, runIn } from '../support/statusFiles.ts';

const SMALL = makeStatus(filesWith({ snapshot: runIn('provisioned', { granted: GRANTED }) }));

const event = (message: string): DeviceStatus['events'][number] => ({
  ...{ time: '2026-01-01T00:00:00.000Z', level: 'info', runId: null, state: null },
  ...{ event: 'run.nothing', message },
});
const entry = (state: string): DeviceStatus['history'][number] => ({
  ...{ state, enteredAt: '2026-01-01T00:00:00.000Z', durationMs: 1, attempt: 1, resumed: false },
});
const texts = (count: number, length: number): string[] => Array.from({ length: count }, () => 'ä'.repeat(length));

function shortened(changes: Partial<DeviceStatus>, maxBytes = 60_000): DeviceStatus | undefined {
  const text = shortStatusJson({ ...SMALL, ...changes }, maxBytes);
  if (text === undefined) return undefined;
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxBytes);
  return statusSchema.parse(JSON.parse(text));
}

const SAYS_SO = expect.stringContaining('was shortened');

describe('the status document for a message of limited size', () => {
  it('is the document of status --format json when that is short enough', () => {
    const text = shortStatusJson(SMALL, 60_000) ?? '';
    expect(JSON.parse(text)).toEqual(JSON.parse(statusJson(SMALL)));
    expect(text).not.toContain('\n');
    expect(shortStatusJson(SMALL, Buffer.byteLength(text))).toBe(text);
  });

  it('loses the oldest events first', () => {
    const events = Array.from({ length: 20 }, (_, index) => event(`${index}${'x'.repeat(5_000)}`));
    const found = shortened({ events, history: [entry('detect')] });
    expect(found?.events.map(({ message }) => message.slice(0, 2))).toEqual(['15', '16', '17', '18', '19']);
    expect(found).toMatchObject({ history: [{ state: 'detect' }], warnings: [...SMALL.warnings, SAYS_SO] });
  });

  it('loses all events before it loses the oldest history', () => {
    const events = [event('x'.repeat(70_000))];
    const history = Array.from({ length: 100 }, (_, index) => entry(`${index}`));
    expect(shortened({ events, history })).toMatchObject({ events: [], history });
    const long = history.map((one) => ({ ...one, state: one.state.padEnd(1_000) }));
    expect(shortened({ events, history: long })?.history.map(({ state }) => Number(state))).toEqual([
      ...[90, 91, 92, 93, 94, 95, 96, 97, 98, 99],
    ]);
  });

  it('loses the ends of long texts and lists last, and still says that it was shortened', () => {
    const found = shortened({ warnings: texts(500, 4_000) });
    expect(found?.warnings).toHaveLength(11);
    expect(found?.warnings[0]).toHaveLength(300);
    expect(found?.warnings.at(-1)).toEqual(SAYS_SO);
  });

  it('is undefined when even that is too long', () => {
    expect(shortened({}, 200)).toBeUndefined();
  });
});
