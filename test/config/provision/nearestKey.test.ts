import { describe, expect, it } from 'vitest';
import { editDistance, nearestKey } from '../../../src/config/provision/nearestKey.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['port', 'prot', 2],
    ['host', 'hosts', 1],
    ['kitten', 'sitting', 3],
  ])('from %j to %j is %d', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
  });
});

describe('nearestKey', () => {
  const known = ['provisioning.host', 'provisioning.device_key', 'server_url', 'server_port'];

  it.each([
    ['devicekey', 'provisioning.device_key'],
    ['x.Device-Key', 'provisioning.device_key'],
    ['serverUrl', 'server_url'],
    ['prot', undefined],
    ['comment', undefined],
    ['h'.repeat(10_000), undefined],
  ])('for %j is %j', (key, nearest) => {
    expect(nearestKey(key, known)).toBe(nearest);
  });

  it('returns the first of two equally similar keys', () => {
    expect(nearestKey('hos', ['a.host', 'b.host'])).toBe('a.host');
  });
});
