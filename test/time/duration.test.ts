import { expect, it } from 'vitest';
import { duration } from '../../src/time/duration.ts';

it.each([
  [12, '12 ms'],
  [12.4, '12 ms'],
  [999, '999 ms'],
  [1400, '1.4 s'],
  [61_000, '1 min 1 s'],
  [200_000, '3 min 20 s'],
  [7_500_000, '2 h 5 min'],
  [null, ''],
])('a duration of %s ms is shown as "%s"', (ms, text) => {
  expect(duration(ms)).toBe(text);
});
