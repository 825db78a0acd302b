import { isUtf8 } from 'node:buffer';
import { placeOf } from './jsonSlip.ts';

/** The text of a file without its byte-order mark. Messages put `problem` after the file's name. */
export type DecodedText =
  | { readonly ok: true; readonly text: string; readonly bom: boolean; readonly encoding: 'UTF-8' | 'UTF-16' }
  | { readonly ok: false; readonly problem: string };

const BOM = '\uFEFF';
/** Stands for bytes that are not UTF-8. */
const REPLACEMENT = '\uFFFD';
const ZERO_BYTES = 'zero bytes, as after a power loss';

/**
 * Decodes a file of JSON: UTF-8, or UTF-16 without a doubt.
 * @returns what is wrong, never with a part of the text
 */
export function decodeText(bytes: Uint8Array): DecodedText {
  const wide = wideEncoding(bytes);
  if (wide === 'utf-32') return { ok: false, problem: 'is saved as UTF-32: save it as UTF-8' };
  if (wide !== undefined) return decodeWide(bytes, wide);
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const bom = whole.startsWith(BOM);
  const text = bom ? whole.slice(1) : whole;
  if (!isUtf8(bytes)) {
    const place = placeOf(text, text.indexOf(REPLACEMENT));
    return { ok: false, problem: `is not UTF-8 text (${place}): save it as UTF-8` };
  }
  const zero = text.indexOf('\0');
  if (zero < 0) return { ok: true, text, bom, encoding: 'UTF-8' };
  // Some file systems leave a file filled with zero bytes after a power loss.
  if (!/^\0+$/.test(text.slice(zero))) return { ok: false, problem: 'holds binary data instead of JSON' };
  if (zero === 0) return { ok: false, problem: `holds only ${ZERO_BYTES}` };
  return { ok: false, problem: `holds ${ZERO_BYTES}, from ${placeOf(text, zero)} to its end` };
}

/** The first two characters of a JSON text are ASCII, so the zero bytes among the first four tell the encoding. */
function wideEncoding(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | 'utf-32' | undefined {
  const first = Buffer.from(bytes.subarray(0, 4)).toString('hex');
  if (/^(fffe0000|0000feff|000000(?!00)..|(?!00)..000000)$/.test(first)) return 'utf-32';
  if (/^(fffe|(?!00)..00(?!00)..00)/.test(first)) return 'utf-16le';
  return /^(feff|00(?!00)..00(?!00)..)/.test(first) ? 'utf-16be' : undefined;
}

function decodeWide(bytes: Uint8Array, encoding: string): DecodedText {
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return { ok: true, text, bom: false, encoding: 'UTF-16' };
  } catch {
    return { ok: false, problem: 'is saved as UTF-16 and damaged: save it as UTF-8' };
  }
}
