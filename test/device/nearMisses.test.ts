import type { Dirent } from 'node:fs';
import { chmod, mkdir, opendir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { nearMisses, nothingHere } from '../../src/device/nearMisses.ts';
import { devicePaths } from '../../src/device/paths.ts';
import { asOrdinaryUser, scratchFolder } from '../config/scratch.ts';

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return { ...real, opendir: vi.fn(real.opendir) };
});

test('files that are nearly named right are found', async () => {
  const folder = await scratchFolder();
  for (const name of ['provision.txt.txt', 'provision.json.txt', 'other.txt']) await writeFile(join(folder, name), '');
  expect(await nearMisses(join(folder, 'provision.txt'))).toEqual(['"provision.txt.txt"']);
  expect(await nearMisses(join(folder, 'provision.json'))).toEqual(['"provision.json.txt"']);
});

test('a folder and a link without a target do not count as the file, and are named', async () => {
  const folder = await scratchFolder();
  await mkdir(join(folder, 'provision.txt'));
  await symlink('nowhere', join(folder, 'provision.json'));
  await writeFile(join(folder, 'Provision.txt'), '');
  expect(await nearMisses(join(folder, 'provision.txt'))).toEqual(['"provision.txt" (a folder)', '"Provision.txt"']);
  expect(await nearMisses(join(folder, 'provision.json'))).toEqual([
    '"provision.json" (a link whose target is missing)',
  ]);
  expect(await nothingHere(devicePaths(folder))).toBe(
    `No provision.txt in ${folder}: nothing to do. Perhaps meant: "provision.txt" (a folder), "Provision.txt"`,
  );
});

test('a file that was created a moment ago is no near miss', async () => {
  const folder = await scratchFolder();
  await writeFile(join(folder, 'provision.txt'), '');
  expect(await nearMisses(join(folder, 'provision.txt'))).toEqual([]);
});

test('a folder that is missing or closed has no near misses', async () => {
  const folder = join(await scratchFolder(), 'closed');
  expect(await nearMisses(join(folder, 'provision.txt'))).toEqual([]);
  await mkdir(folder);
  await writeFile(join(folder, 'provision.txt.txt'), '');
  await chmod(folder, 0o311);
  expect(await asOrdinaryUser(() => nearMisses(join(folder, 'provision.txt')))).toEqual([]);
});

test('only the first entries of a huge folder are read', async () => {
  const folder = await scratchFolder();
  let read = 0;
  async function* endless(): AsyncGenerator<Pick<Dirent, 'name'>> {
    for (;;) {
      read += 1;
      yield { name: `frame-${read}.jpg` };
    }
  }
  const real = await opendir(folder);
  onTestFinished(() => real.close());
  vi.mocked(opendir).mockResolvedValueOnce(Object.assign(real, { [Symbol.asyncIterator]: endless }));
  expect(await nearMisses(join(folder, 'provision.txt'))).toEqual([]);
  expect(read).toBe(2000);
});
