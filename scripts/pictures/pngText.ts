/** Texts in PNG files: chunks of type tEXt (PNG specification, section 11.3.3.2). */
import { crc32 } from 'node:zlib';

const SIGNATURE_BYTES = 8;
/** Length, type and checksum of a chunk. */
const FRAME_BYTES = 12;

/** The chunks of a PNG file. `at`: where the chunk begins in the file. */
function* chunksOf(png: Buffer): Generator<{ at: number; type: string; content: Buffer }> {
  for (let at = SIGNATURE_BYTES; at + FRAME_BYTES <= png.length; ) {
    const length = png.readUInt32BE(at);
    yield { at, type: png.toString('latin1', at + 4, at + 8), content: png.subarray(at + 8, at + 8 + length) };
    at += FRAME_BYTES + length;
  }
}

/** A copy of the picture with a text. @param keyword latin letters, 1 to 79 */
export function withPngText(png: Buffer, keyword: string, text: string): Buffer {
  const end = [...chunksOf(png)].find(({ type }) => type === 'IEND');
  if (end === undefined) throw new Error('not a whole PNG file');
  const body = Buffer.from(`tEXt${keyword}\0${text}`, 'latin1');
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return Buffer.concat([png.subarray(0, end.at), chunk, png.subarray(end.at)]);
}

/** The text with this keyword; undefined: the picture has none. */
export function pngText(png: Buffer, keyword: string): string | undefined {
  const prefix = `${keyword}\0`;
  for (const { type, content } of chunksOf(png)) {
    const text = content.toString('latin1');
    if (type === 'tEXt' && text.startsWith(prefix)) return text.slice(prefix.length);
  }
  return undefined;
}
