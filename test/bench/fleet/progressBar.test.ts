import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { openProgress } from '../../../bench/fleet/progressBar.ts';

function recorded(isTTY: boolean) {
  const texts: string[] = [];
  const progress = openProgress(2, { isTTY, write: (text) => texts.push(text) });
  progress.ended(true);
  progress.ended(false);
  progress.close();
  return texts.join('');
}

it('draws a bar on a terminal', () => {
  const drawn = recorded(true).split('\r').at(-1) ?? '';
  expect(stripVTControlCharacters(drawn)).toMatch(/^\[█{30}\] 2\/2 devices, \d+\/s, 1 failed, 0 s\n$/);
});

it('prints plain lines without a terminal', () => {
  expect(recorded(false)).toMatch(/^2\/2 devices, \d+\/s, 1 failed, 0 s\n$/);
});
