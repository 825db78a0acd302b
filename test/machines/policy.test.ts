import { expect, it } from 'vitest';
import { PROVISION_POLICY } from '../../machines/provision.policy.ts';
import { readPage, tablesIn } from '../docs/markdown.ts';

it('docs/architecture.md states every limit of the chart', () => {
  const rows = tablesIn(readPage('docs/architecture.md')).flatMap(({ rows }) => rows);
  const stated = rows.filter(([name = '']) => Object.hasOwn(PROVISION_POLICY, name));
  expect(Object.fromEntries(stated.map(([name, value]) => [name, Number(value)]))).toEqual(PROVISION_POLICY);
});

it('the longest pause does not shorten the quiet time', () => {
  expect(PROVISION_POLICY.quietTimeMs).toBeLessThanOrEqual(PROVISION_POLICY.longestPauseMs);
});
