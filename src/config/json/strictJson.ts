import { createScanner, type JSONPath, visit } from 'jsonc-parser';
import { decodeText } from './decodedText.ts';
import { describeSlip } from './jsonSlip.ts';

/** A JSON object as JSON.parse gives it. */
export type JsonObject = { readonly [key: string]: unknown };

/** The content of a file. `text` has no byte-order mark. Messages put `problem` after the file's name. */
export type StrictJson =
  | { readonly ok: true; readonly text: string; readonly bom: boolean; readonly value: JsonObject }
  | { readonly ok: false; readonly problem: string };

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The type of a JSON value for messages; never the value. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'a string' : `a ${typeof value}`;
}

/** `telemetry.measurement_spots[0].x` for the path of jsonc-parser and zod. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((segment) => (typeof segment === 'number' ? `[${segment}]` : `.${String(segment)}`))
    .join('')
    .replace(/^\./, '');
}

/**
 * Reads bytes as strict JSON (RFC 8259: no comments, no trailing commas) with an object at the top. A byte-order mark
 * is accepted. A problem never quotes the text, because it may hold a secret. A slip is named, with line and column.
 * @param maxDepth the deepest nesting of objects and lists that is accepted; the top-level object is level 1
 */
export function readJsonObject(bytes: Uint8Array, maxDepth: number): StrictJson {
  const decoded = decodeText(bytes);
  if (!decoded.ok) return decoded;
  if (decoded.encoding !== 'UTF-8') return { ok: false, problem: `is saved as ${decoded.encoding}: save it as UTF-8` };
  const { text, bom } = decoded;
  if (text.trim() === '') return { ok: false, problem: 'is empty' };
  if (isDeeperThan(text, maxDepth)) return { ok: false, problem: `is nested deeper than ${maxDepth} levels` };
  const parsed = parseStrictly(text);
  if (parsed === undefined) return { ok: false, problem: `is not valid JSON: ${describeSlip(text)}` };
  if (!isJsonObject(parsed.value)) {
    return { ok: false, problem: `holds ${typeName(parsed.value)} instead of a JSON object` };
  }
  return { ok: true, text, bom, value: parsed.value };
}

/** Drops the error of JSON.parse, because its message quotes the text, which may hold a secret. */
function parseStrictly(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

const CLOSES: Readonly<Record<string, string>> = { '}': '{', ']': '[' };

/**
 * Checks the depth before any recursive parser reads the text. A closing bracket without an opening one is ignored,
 * because jsonc-parser continues after errors: the measured depth is never less than its recursion.
 */
export function isDeeperThan(text: string, maxDepth: number): boolean {
  const scanner = createScanner(text, true);
  const open: string[] = [];
  for (;;) {
    scanner.scan();
    const offset = scanner.getTokenOffset();
    const first = text.charAt(offset);
    if (offset >= text.length) return false;
    if (first === '{' || first === '[') open.push(first);
    if (open.length > maxDepth) return true;
    if (open.length > 0 && open.at(-1) === CLOSES[first]) open.pop();
  }
}

/**
 * The paths of keys that occur more than once in the same object. Each path is listed once.
 * @param text valid JSON of limited depth
 */
export function duplicateKeys(text: string): readonly JSONPath[] {
  const seen: Set<string>[] = [];
  const duplicates = new Map<string, JSONPath>();
  visit(text, {
    onObjectBegin: () => {
      seen.push(new Set());
    },
    onObjectEnd: () => {
      seen.pop();
    },
    onObjectProperty: (key, _offset, _length, _line, _column, parent) => {
      const path = [...parent(), key];
      if (seen.at(-1)?.has(key)) duplicates.set(JSON.stringify(path), path);
      seen.at(-1)?.add(key);
    },
  });
  return [...duplicates.values()];
}
