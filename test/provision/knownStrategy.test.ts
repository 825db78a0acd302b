import { expect, test } from 'vitest';
import { strategySeenIn } from '../../src/provision/knownStrategy.ts';
import { GRANTED, runIn } from '../support/statusFiles.ts';

const seen = (context: Parameters<typeof runIn>[1], state: Parameters<typeof runIn>[0] = 'provisioned') =>
  strategySeenIn(runIn(state, { granted: GRANTED, ...context }))?.strategy ?? null;

test("a server that took the device's own token creates new devices; one that sent another token checks", () => {
  expect(seen({})).toBe('creates');
  expect(seen({ granted: { ...GRANTED, fingerprint: '0000000f' } })).toBe('checks');
});

test('a late success of an earlier name says nothing: the snapshot has the token of the later name', () => {
  expect(seen({ deviceName: 'cam-2', fingerprint: '00000002' })).toBeNull();
});

test('a run without success passes on what an earlier run has seen', () => {
  const knownStrategy = { digest: 'd', strategy: 'checks' } as const;
  expect(seen({ knownStrategy }, 'failed')).toBe('checks');
  expect(seen({ knownStrategy, settings: null })).toBe('checks');
  expect(seen({}, 'failed')).toBeNull();
  expect(strategySeenIn(undefined)).toBeNull();
});
