import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { ROOT, readPage, rowsUnder } from './markdown.ts';

const page = readPage('CONTRIBUTING.md');
const packageSchema = z.object({ scripts: z.record(z.string(), z.string()) });

it('CONTRIBUTING.md explains every script, and names no other', () => {
  const { scripts } = packageSchema.parse(JSON.parse(readPage('package.json')));
  const named = [...page.matchAll(/`npm (?:run )?([\w:]+)/g)].map(([, name = '']) => name);
  expect(new Set(named)).toEqual(new Set([...Object.keys(scripts), 'cit']));
});

it('CONTRIBUTING.md has every room of src, and no other', () => {
  const rooms = readdirSync(`${ROOT}src`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const described = rowsUnder(page, 'room')
    .map(([room = '']) => room)
    .filter((room) => /^src\/.*\/$/.test(room));
  expect(described.toSorted()).toEqual(rooms.map(({ name }) => `src/${name}/`).toSorted());
});
