import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failures/failure.ts';
import { errnoOf, fileFailure, isENOENT } from '../../src/failures/fileFailure.ts';

const withCode = (code: unknown): Error => Object.assign(new Error('as Node says it'), { code });

describe('fileFailure', () => {
  it.each([
    ['ENOSPC', 'DISK_FULL', 'ENOSPC (no space left)'],
    ['Unknown system error -122', 'DISK_FULL', 'EDQUOT (the disk quota is used up)'],
    ['Unknown system error -9999', 'DISK_ERROR', 'Unknown system error -9999'],
    ['EBUSY', 'DISK_ERROR', "EBUSY (a file that is a mount of its own can't be replaced, renamed or removed)"],
    ['EDQUOT', 'DISK_FULL', 'EDQUOT (the disk quota is used up)'],
    ['EROFS', 'FOLDER_NOT_WRITABLE', 'EROFS (the file system is mounted read-only)'],
    ['EACCES', 'FILE_NOT_PERMITTED', 'EACCES (permission denied)'],
    ['EPERM', 'FILE_NOT_PERMITTED', 'EPERM (permission denied)'],
    ['EIO', 'DISK_ERROR', 'EIO'],
    ['ENOENT', 'DISK_ERROR', 'ENOENT'],
    ['EMFILE', 'DISK_ERROR', 'EMFILE'],
    [7, 'DISK_ERROR', 'unknown error'],
  ])('makes %s %s', (errno, code, why) => {
    const cause = withCode(errno);
    expect(fileFailure(cause, 'write /d/file')).toMatchObject({
      code,
      message: `Could not write /d/file: ${why}`,
      cause,
    });
  });

  it('keeps a Failure as it is', () => {
    const failure = new Failure('DISK_FULL', 'tooLittle', { free: '1 MiB', folder: '/d', needed: '2 MiB' });
    expect(fileFailure(failure, 'write /d/file')).toBe(failure);
  });
});

describe('errnoOf', () => {
  it.each([
    [withCode('EIO'), 'EIO'],
    [withCode(5), undefined],
    [new Error('no code'), undefined],
    [{ code: 'EIO' }, undefined],
    [undefined, undefined],
  ])('of %s is %s', (error, errno) => {
    expect(errnoOf(error)).toBe(errno);
  });

  it('lets isENOENT distinguish absence from other errors', () => {
    expect(isENOENT(withCode('ENOENT'))).toBe(true);
    expect(isENOENT(withCode('EACCES'))).toBe(false);
  });
});
