import { describe, expect, it } from 'vitest';
import { isNearlyNamed, meantIn, nearNames, nothingMessage } from '../../src/device/nearlyNamed.ts';

describe('a name', () => {
  it.each([
    ...['provision.txt.txt', 'Provision.TXT', 'PROVISION.txt', 'provision.txt ', ' provision.txt', 'provision .txt'],
    ...['provision-txt', 'provision_txt', 'provisiontxt', 'provision,txt', 'provision', 'provision.', 'provision.text'],
    ...['provision.tx', 'provision.tct', 'provison.txt', 'porvision.txt', 'provisions.txt', 'provisioning.txt'],
    ...['provision (1).txt', 'provision - Copy.txt', 'Copy of provision.txt', 'provision1.txt', 'provision.txt.1'],
    ...['provision.txt~', '.provision.txt.swp', '#provision.txt#', '.#provision.txt', 'provision.txt.bak'],
    ...['provision.txt.part', 'provision.txt.tmp', 'provision.txt.rtf', 'provision.txt.json', 'provision.txt\n'],
    ...['provision.txt\u00a0', 'provision\u200b.txt', '\uff50\uff52\uff4fvision.txt'],
  ])('%j is nearly provision.txt', (name) => {
    expect(isNearlyNamed(name, 'provision.txt')).toBe(true);
  });

  it.each([
    ...['provision.txt', 'provision.txt.processed', 'Provision.txt.processed', 'provision.txt.processed.txt'],
    ...['provision.json', 'provision.json.txt', 'provision-state', '.provision-probe', 'provision.log', 'provision.sh'],
    ...['provisioned.txt', 'thermal_config.json', 'thermal-mqtt.log', 'ca.pem', 'provide.txt', 'readme.txt', 'txt', ''],
    'provision.txt'.padEnd(65, '~'),
  ])('%j is not nearly provision.txt', (name) => {
    expect(isNearlyNamed(name, 'provision.txt')).toBe(false);
  });

  it.each([
    ...[
      'provision.json.txt',
      'Provision.json',
      'provision.jsn',
      'provision.jason',
      'provision.jsonc',
      'provision (1).json',
    ],
    ...['provision.json.bak', 'provision.json.json', 'provisioning.json', 'provision json', 'provision'],
  ])('%j is nearly provision.json', (name) => {
    expect(isNearlyNamed(name, 'provision.json')).toBe(true);
  });

  it.each(['provision.json', 'provision.txt', 'provision.yaml', 'provision.js', 'package.json', 'thermal_config.json'])(
    '%j is not nearly provision.json',
    (name) => {
      expect(isNearlyNamed(name, 'provision.json')).toBe(false);
    },
  );
});

describe('the names in a folder', () => {
  it('are given in quotes and in order, three at most', () => {
    const names = ['provision.txt~', 'x', 'provision.txt.txt', 'provision.txt ', 'Provision.txt'];
    expect(nearNames(names, 'provision.txt')).toEqual(['"Provision.txt"', '"provision.txt "', '"provision.txt.txt"']);
  });

  it('are compared with provision.json only if it is missing', () => {
    expect(meantIn(['provision.json.bak', 'provision.txt.txt'])).toEqual([
      '"provision.txt.txt"',
      '"provision.json.bak"',
    ]);
    expect(meantIn(['provision.json.bak', 'provision.json'])).toEqual([]);
  });

  it('are in the message of a start without work', () => {
    expect(nothingMessage('/device', [])).toBe('No provision.txt in /device: nothing to do');
    expect(nothingMessage('/device', ['"a"', '"b"'])).toBe(
      'No provision.txt in /device: nothing to do. Perhaps meant: "a", "b"',
    );
  });
});
