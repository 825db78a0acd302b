import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemAuthorities, trustedAuthorities } from '../../../src/config/authorities/caFile.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'authorities-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('uses the first bundle that exists and is not empty', async () => {
  await writeFile(join(folder, 'empty'), '');
  await writeFile(join(folder, 'bundle'), 'the bundle');
  const paths = ['absent', 'empty', 'bundle'].map((name) => join(folder, name));
  expect(await systemAuthorities(paths)).toBe('the bundle');
});

it("returns undefined without a bundle, so that Node's list is used", async () => {
  expect(await systemAuthorities([join(folder, 'absent')])).toBeUndefined();
});

it("uses no authorities without TLS, and the system's authorities without a ca_file", async () => {
  expect(await trustedAuthorities(folder, { useSsl: false, caFile: 'absent.pem' }, 'provisioning')).toBeUndefined();
  expect(await trustedAuthorities(folder, { useSsl: true }, 'provisioning')).toBe(await systemAuthorities());
  await expect(
    trustedAuthorities(folder, { useSsl: true, caFile: 'absent.pem' }, 'provisioning'),
  ).rejects.toMatchObject({
    code: 'CA_FILE_UNUSABLE',
  });
});
