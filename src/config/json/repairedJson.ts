import { createScanner, type ParseError, parse } from 'jsonc-parser';
import { decodeText } from './decodedText.ts';
import { hasOnlyChanged } from './onlyChanged.ts';
import { isDeeperThan, type JsonObject, readJsonObject, type StrictJson } from './strictJson.ts';

/** A JSON object whose text may have been repaired. `repaired` is the problem of the original text. */
export type RepairedJson =
  | {
      readonly ok: true;
      readonly text: string;
      readonly bom: boolean;
      readonly value: JsonObject;
      readonly repaired?: string;
    }
  | Extract<StrictJson, { ok: false }>;

const TOLERANT = { allowTrailingComma: true };
/** More white space behind a comment stays. */
const MAX_BLANKS = 256;

/**
 * Reads bytes like `readJsonObject`. A text with comments, with commas after the last entry or in UTF-16 is repaired:
 * these are removed, and every name and value keeps its spelling. Nothing is guessed: other slips are not repaired.
 * @param maxDepth as in `readJsonObject`
 */
export function readRepairedJson(bytes: Uint8Array, maxDepth: number): RepairedJson {
  const strict = readJsonObject(bytes, maxDepth);
  if (strict.ok) return strict;
  const decoded = decodeText(bytes);
  if (!decoded.ok || isDeeperThan(decoded.text, maxDepth)) return strict;
  const text = plainJson(decoded.text);
  if (text === undefined) return strict;
  const json = readJsonObject(Buffer.from(text), maxDepth);
  return json.ok ? { ...json, bom: decoded.bom, repaired: strict.problem } : strict;
}

/** The text without comments and trailing commas; undefined when it has another slip. */
function plainJson(text: string): string | undefined {
  const errors: ParseError[] = [];
  parse(text, errors, TOLERANT);
  if (errors.length > 0) return undefined;
  const plain = withoutTrailingCommas(withoutComments(text));
  return hasOnlyChanged(text, plain, []) ? plain : undefined;
}

/** A line that holds only comments is removed as a whole. */
function withoutComments(text: string): string {
  const scanner = createScanner(text);
  const kept: string[] = [];
  let offset = 0;
  let isWholeLine = true;
  for (;;) {
    scanner.scan();
    const start = scanner.getTokenOffset();
    if (start >= text.length) return kept.join('') + text.slice(offset);
    if (text[start] !== '/') continue;
    const before = text.slice(offset, start).replace(/[ \t]+$/, '');
    kept.push(before);
    if (before !== '') isWholeLine = /[\r\n]$/.test(before);
    offset = start + scanner.getTokenLength();
    if (isWholeLine) offset += /^[ \t]*(\r\n|\r|\n)?/.exec(text.slice(offset, offset + MAX_BLANKS))?.[0].length ?? 0;
  }
}

/** @param text without comments */
function withoutTrailingCommas(text: string): string {
  const scanner = createScanner(text, true);
  const kept: string[] = [];
  let offset = 0;
  let comma: number | undefined;
  for (;;) {
    scanner.scan();
    const start = scanner.getTokenOffset();
    const first = text.charAt(start);
    if (first === '') return kept.join('') + text.slice(offset);
    if (comma !== undefined && (first === '}' || first === ']')) {
      kept.push(text.slice(offset, comma));
      offset = comma + 1;
    }
    comma = first === ',' ? start : undefined;
  }
}
