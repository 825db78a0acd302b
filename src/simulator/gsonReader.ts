/**
 * Reads JSON as the server does. Its parser (Gson, lenient) accepts more than JSON: comments, single quotes, names
 * without quotes, `;` and `=` as separators, NaN, raw line breaks in texts, a BOM; of a repeated name the last value
 * counts. The recordings of real servers show these cases.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The JSON value of a payload, or undefined if the server can't read it. An empty payload is null. */
export function parseJson(payload: Buffer): unknown {
  try {
    return new GsonReader(payload.toString('utf8')).document();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

/** The JSON object of a payload, or undefined if it is not a JSON object. */
export function parseObject(payload: Buffer): JsonObject | undefined {
  const value = parseJson(payload);
  return isJsonObject(value) ? value : undefined;
}

class Malformed extends Error {}

const MAX_DEPTH = 255;
/** Characters that end a text without quotes. */
const LITERAL = /[^/\\;#={}[\]:,\s]*/y;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const SPACE_AND_COMMENTS = /(?:[ \t\r\n]|\/\*[\s\S]*?\*\/|\/\/[^\r\n]*|#[^\r\n]*)*/y;
const ESCAPES: Readonly<Record<string, string>> = { t: '\t', b: '\b', n: '\n', r: '\r', f: '\f', '\n': '\n' };

class GsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    if (text.startsWith('\uFEFF')) this.#at = 1;
  }

  document(): unknown {
    this.#skip();
    if (this.#at === this.#text.length) return null;
    const value = this.#value(0);
    this.#skip();
    if (this.#at < this.#text.length) throw new Malformed();
    return value;
  }

  #skip(): void {
    SPACE_AND_COMMENTS.lastIndex = this.#at;
    SPACE_AND_COMMENTS.exec(this.#text);
    this.#at = SPACE_AND_COMMENTS.lastIndex;
  }

  /** The next character after blanks and comments. */
  #peek(): string {
    this.#skip();
    return this.#text.charAt(this.#at);
  }

  #take(characters: string): boolean {
    const next = this.#peek();
    if (next === '' || !characters.includes(next)) return false;
    this.#at += 1;
    return true;
  }

  #value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw new Malformed();
    if (this.#take('{')) return this.#object(depth + 1);
    if (this.#take('[')) return this.#array(depth + 1);
    const quote = this.#peek();
    if (quote === '"' || quote === "'") return this.#quoted();
    return literalValue(this.#literal());
  }

  #object(depth: number): JsonObject {
    const members = new Map<string, unknown>();
    if (this.#take('}')) return {};
    do {
      const quote = this.#peek();
      const name = quote === '"' || quote === "'" ? this.#quoted() : this.#literal();
      if (this.#take('=')) this.#take('>');
      else if (!this.#take(':')) throw new Malformed();
      members.set(name, this.#value(depth));
    } while (this.#take(',;'));
    if (!this.#take('}')) throw new Malformed();
    return Object.fromEntries(members);
  }

  #array(depth: number): unknown[] {
    const items: unknown[] = [];
    if (this.#take(']')) return items;
    do {
      // Nothing between two separators, or before the bracket, is null.
      items.push([',', ';', ']'].includes(this.#peek()) ? null : this.#value(depth));
    } while (this.#take(',;'));
    if (!this.#take(']')) throw new Malformed();
    return items;
  }

  #literal(): string {
    LITERAL.lastIndex = this.#at;
    const literal = LITERAL.exec(this.#text)?.[0] ?? '';
    if (literal === '') throw new Malformed();
    this.#at += literal.length;
    return literal;
  }

  #quoted(): string {
    const quote = this.#text.charAt(this.#at);
    let text = '';
    for (this.#at += 1; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text.charAt(this.#at);
      if (character === quote) {
        this.#at += 1;
        return text;
      }
      text += character === '\\' ? this.#escape() : character;
    }
    throw new Malformed();
  }

  #escape(): string {
    this.#at += 1;
    const character = this.#text.charAt(this.#at);
    if (character !== 'u') {
      if ('\'"\\/'.includes(character) && character !== '') return character;
      const meant = ESCAPES[character];
      if (meant === undefined) throw new Malformed();
      return meant;
    }
    const code = this.#text.slice(this.#at + 1, this.#at + 5);
    if (!/^[\da-fA-F]{4}$/.test(code)) throw new Malformed();
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(code, 16));
  }
}

/** A number that JavaScript can't hold exactly stays a text, and so does NaN: the server reads both as texts. */
function literalValue(literal: string): unknown {
  switch (literal.toLowerCase()) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'null':
      return null;
  }
  if (!NUMBER.test(literal)) return literal;
  const number = Number(literal);
  const exact = Number.isInteger(number) ? Number.isSafeInteger(number) : Number.isFinite(number);
  return exact ? number : literal;
}
