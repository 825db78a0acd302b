import { expect, it } from 'vitest';
import { mebibytes } from '../../src/files/byteSize.ts';

const MEBIBYTE = 1024 * 1024;

it.each([
  [0, '0 MiB', '0 MiB'],
  [1, '0 MiB', '0.1 MiB'],
  [MEBIBYTE - 1, '0.9 MiB', '1 MiB'],
  [MEBIBYTE, '1 MiB', '1 MiB'],
  [2.34 * MEBIBYTE, '2.3 MiB', '2.4 MiB'],
  [5000 * MEBIBYTE, '5000 MiB', '5000 MiB'],
])('%d bytes of free space are %s, and of needed space %s', (bytes, free, needed) => {
  expect([mebibytes(bytes, 'down'), mebibytes(bytes, 'up')]).toEqual([free, needed]);
});
