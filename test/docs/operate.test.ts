import { expect, it } from 'vitest';
import { readPage, rowsUnder } from './markdown.ts';
import { sources } from './sources.ts';

it('docs/operate.md names every published attribute of the provisioning', () => {
  const source = sources().get('client/provisioningRecord.ts') ?? '';
  const published = [...source.matchAll(/^ +(provisioning_\w+):/gm)].map(([, name]) => name);
  expect(published.length).toBeGreaterThan(3);
  const described = rowsUnder(readPage('docs/operate.md'), 'attribute').map(([name]) => name);
  expect(described.toSorted()).toEqual(published.toSorted());
});
