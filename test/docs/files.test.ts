import { basename, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lastPart } from '../../src/config/provision/keyWords.ts';
import { SETTINGS } from '../../src/config/provision/provisionSettings.ts';
import { UNACCEPTED_KEYS } from '../../src/config/provision/unacceptedKeys.ts';
import { freshConfig } from '../../src/config/thermal/credentialsSections.ts';
import { devicePaths } from '../../src/device/paths.ts';
import { Secret } from '../../src/secret.ts';
import { accessToken } from '../support/accessToken.ts';
import { readPage, rowsUnder, sectionOf } from './markdown.ts';

const page = readPage('docs/files.md');

it('docs/files.md names every file of a device', () => {
  const { deviceFolder, ...files } = devicePaths('/device');
  const described = rowsUnder(sectionOf(page, 'All files'), 'file').map(([name]) => name?.replace(/\/$/, ''));
  const names = Object.values(files).map((path) => relative(deviceFolder, path));
  expect(described).toEqual(expect.arrayContaining(names));
  expect(described).toContain(`${basename(files.thermalConfig)}.backup.UTC`);
});

describe('the tables of provision.json', () => {
  const [keys, older, taken] = ['value', 'older spellings', 'taken for it'].map((second) =>
    rowsUnder(sectionOf(page, 'provision.json'), 'key', second),
  );
  const listed = (rows: typeof keys) =>
    rows?.map(([key, list = '']) => `${key}: ${list.replace(' (also in device)', '')}`);

  it('have every setting, by its recommended spelling', () => {
    const spellings = Object.values(SETTINGS).map(({ spellings: [first] }) => first);
    expect(keys?.map(([key]) => key).toSorted()).toEqual(spellings.toSorted());
  });

  it('have every older spelling, which is accepted in provisioning and at the top', () => {
    const known = Object.values(SETTINGS).flatMap(({ spellings: [first = '', ...others] }) => {
      const words = [...new Set(others.map(lastPart))];
      return words.length === 0 ? [] : [`${first}: ${words.join(', ')}`];
    });
    expect(listed(older)?.toSorted()).toEqual(known.toSorted());
  });

  it('have every synonym', () => {
    const known = Object.values(SETTINGS).flatMap(({ spellings: [first], synonyms = [] }) =>
      synonyms.length === 0 ? [] : [`${first}: ${synonyms.join(', ')}`],
    );
    expect(listed(taken)?.toSorted()).toEqual(known.toSorted());
  });

  it('have keys of every kind that is not accepted, and what to write instead', () => {
    const rows = rowsUnder(sectionOf(page, 'provision.json'), 'keys such as');
    expect(rows.map(([, expected]) => expected)).toEqual(UNACCEPTED_KEYS.map(({ expected }) => expected));
    for (const [index, [keys = '']] of rows.entries()) {
      expect(UNACCEPTED_KEYS[index]?.examples).toEqual(expect.arrayContaining(keys.split(', ')));
    }
  });
});

/** `{ a: { b: 1 } }` → `[['a.b', 1]]`; a list is described by its first entry. */
function flat(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  if (Array.isArray(value)) return [[path, undefined], ...flat(value[0], `${path}[]`)];
  return Object.entries(value).flatMap(([key, inner]) => flat(inner, path === '' ? key : `${path}.${key}`));
}

it('docs/files.md has every key of thermal_config.json, with its default', () => {
  const bytes = freshConfig({
    host: 'provisioning',
    port: 1883,
    useSsl: true,
    caFile: 'ca.pem',
    login: accessToken('token'),
    proxy: new Secret('http://proxy:3128'),
    deviceId: 'thermal-camera-1',
    provisionedAt: '2026-11-23T12:00:00.000Z',
    runId: 'run',
    backup: null,
  });
  const rows = rowsUnder(sectionOf(page, 'thermal_config.json'), 'key');
  const defaults = new Map(flat(JSON.parse(bytes.toString())));
  expect(rows.map(([key]) => key)).toEqual([...defaults.keys()]);
  for (const [key = '', , preset] of rows) {
    const value = defaults.get(key);
    if (preset !== 'provisioning' && value !== undefined) expect([key, preset]).toEqual([key, String(value)]);
  }
});
