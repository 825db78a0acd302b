import { expect, it } from 'vitest';
import * as z from 'zod';
import { statusSchema } from '../../src/status/deviceStatus.ts';
import { readPage, rowsUnder } from './markdown.ts';
import { sources } from './sources.ts';

const page = readPage('docs/operations.md');

it('names every attribute of the provisioning that is published', () => {
  const source = sources().get('client/provisioningRecord.ts') ?? '';
  const published = [...source.matchAll(/^ +(provisioning_\w+):/gm)].map(([, name]) => name);
  expect(published.length).toBeGreaterThan(3);
  const described = rowsUnder(page, 'attribute').map(([name]) => name);
  expect(described.sort()).toEqual(published.sort());
});

it('names fields of the status for own actions that are there', () => {
  const fields = rowsUnder(page, 'field of the JSON').map(([name = '']) => name);
  expect(fields).toContain('errors');
  const known = Object.keys(z.toJSONSchema(statusSchema).properties ?? {});
  for (const field of fields) expect(known).toContain(field.split('.')[0]);
});
