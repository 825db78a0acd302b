import { tmpdir } from 'node:os';
import { expect, it, vi } from 'vitest';
import { requireAppearsWritable } from '../../src/files/appearsWritable.ts';

const answers = vi.hoisted(() => ({ errno: '' }));
// Root passes every check of modes, and access(2) asks for the real user.
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof import('node:fs/promises')>()),
  access: async () => {
    if (answers.errno !== '') throw Object.assign(new Error(answers.errno), { code: answers.errno });
  },
}));

it('accepts a folder that the system does not refuse', async () => {
  answers.errno = '';
  await expect(requireAppearsWritable(tmpdir())).resolves.toBeUndefined();
});

it.each([
  ['EACCES', 'FOLDER_NOT_WRITABLE', 'permission denied'],
  ['EPERM', 'FOLDER_NOT_WRITABLE', 'immutable'],
  ['EROFS', 'FOLDER_NOT_WRITABLE', 'mounted read-only'],
  ['EIO', 'DISK_ERROR', 'EIO'],
])('%s is %s', async (errno, code, message) => {
  answers.errno = errno;
  await expect(requireAppearsWritable('/d')).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
});
