import { crc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { pngText, withPngText } from '../../scripts/pictures/pngText.ts';

/** A picture of one transparent pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

it('keeps a text in a picture, before its end, with a right checksum', () => {
  const png = withPngText(PIXEL, 'Source', 'abc');
  expect(pngText(png, 'Source')).toBe('abc');
  const chunk = Buffer.from('tEXtSource\0abc', 'latin1');
  const at = png.indexOf(chunk);
  expect(png.readUInt32BE(at - 4)).toBe(chunk.length - 4);
  expect(png.readUInt32BE(at + chunk.length)).toBe(crc32(chunk));
  // Everything else is as before.
  expect(Buffer.concat([png.subarray(0, at - 4), png.subarray(at + chunk.length + 4)])).toEqual(PIXEL);
  expect(at).toBeLessThan(png.indexOf('IEND'));
});

it('finds no text in a picture without one, in a cut picture and in an empty file', () => {
  for (const file of [PIXEL, withPngText(PIXEL, 'Other', 'abc'), PIXEL.subarray(0, 20), Buffer.alloc(0)]) {
    expect(pngText(file, 'Source')).toBeUndefined();
  }
});

it('refuses a cut picture', () => {
  expect(() => withPngText(PIXEL.subarray(0, 40), 'Source', 'abc')).toThrow('not a whole PNG file');
});
