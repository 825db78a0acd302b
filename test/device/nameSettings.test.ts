import { describe, expect, it } from 'vitest';
import { isNamePart, isNameText, isRandom, type NameSettings, nameSourceOf } from '../../src/device/nameSettings.ts';

describe('a text for device.name', () => {
  it.each([
    ['a letter', 'a'],
    ['all kinds of characters', 'Camera_7-x'],
    ['only characters that are no letters', '-_0'],
    ['64 characters', 'n'.repeat(64)],
    ['every part in braces', '{random}{mac}{serial}{machine-id}{hostname}'],
    ['a part between other characters', 'hall-{mac}_7'],
    ['256 characters with a part', `{mac}${'n'.repeat(251)}`],
  ])('may have %s', (_what, text) => {
    expect(isNameText(text)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['65 characters', 'n'.repeat(65)],
    ['257 characters with a part', `{mac}${'n'.repeat(252)}`],
    ['an unknown part', 'cam-{colour}'],
    ['a part with other letters', 'cam-{MAC}'],
    ['a part that is not closed', 'cam-{mac'],
    ['a space at the beginning', ' cam'],
    ['a dot at the end', 'cam.'],
    ['another character beside a part', 'é{mac}'],
  ])('may not have %s', (_what, text) => {
    expect(isNameText(text)).toBe(false);
  });

  it('knows the parts of a name', () => {
    expect(['random', 'mac', 'serial', 'machine-id', 'hostname', 'fixed', 'command', ''].filter(isNamePart)).toEqual([
      'random',
      'mac',
      'serial',
      'machine-id',
      'hostname',
    ]);
  });
});

it.each<[NameSettings, string]>([
  [{ source: 'random', prefix: 'cam' }, 'random'],
  [{ source: 'mac', prefix: 'cam' }, 'mac'],
  [{ source: 'fixed', name: '{random}' }, 'fixed'],
  [{ source: 'command', prefix: 'cam', command: '/bin/name' }, 'command'],
  [{ source: 'template', template: '{mac}-{random}' }, 'random'],
  [{ source: 'template', template: '{mac}-random' }, 'template'],
])('the name %j has the source %s, and only a random one can be replaced', (name, source) => {
  expect(nameSourceOf(name)).toBe(source);
  expect(isRandom(name)).toBe(source === 'random');
});
