import { createScanner, printParseErrorCode, visit } from 'jsonc-parser';

// Names the usual slips of people who edit JSON by hand. A description never has a part of the text, because the text
// may hold a secret.

interface Token {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The first syntax error, with the tokens around it. */
interface Scene {
  readonly text: string;
  /** jsonc-parser's name of the error. */
  readonly code: string;
  /** The token that the parser does not accept. It is empty at the end of the text. */
  readonly token: Token;
  /** The two tokens before it, the nearest first. An empty token stands for the beginning of the text. */
  readonly before: Token;
  readonly earlier: Token;
  /** The brackets and braces that are open here, the innermost last. */
  readonly open: string;
}

/** What is wrong, and the offset in the text. */
type Slip = readonly [what: string, offset: number];

const STRICT = { disallowComments: true, allowTrailingComma: false };
const BEGINNING: Token = { start: 0, end: 0, text: '' };
const CLOSER: Readonly<Record<string, string>> = { '{': '}', '[': ']' };
const MAX_CLOSERS = 8;

const isString = ({ text }: Token): boolean => text.startsWith('"');
const isNumber = ({ text }: Token): boolean => /^-?\d/.test(text);
const isOneOf = ({ text }: Token, symbols: string): boolean => text.length === 1 && symbols.includes(text);
const isAdjacent = (one: Token, next: Token): boolean => one.end === next.start && one.end > 0;

/**
 * Describes the first syntax error of a JSON text: what is wrong, with line and column of the slip itself, e.g. `a comma
 * is missing at line 3, column 25`. Never a part of the text.
 * @param text not valid JSON
 */
export function describeSlip(text: string): string {
  const [what, offset] = firstSlip(text);
  return `${what} at ${placeOf(text, offset)}`;
}

/** `line 3, column 25` for an offset in a text. Both count from 1. */
export function placeOf(text: string, offset: number): string {
  const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}

function firstSlip(text: string): Slip {
  let first: { readonly code: string; readonly offset: number } | undefined;
  const onError = (code: number, offset: number) => {
    first ??= { code: printParseErrorCode(code), offset };
  };
  visit(text, { onError }, STRICT);
  if (first === undefined) return ['syntax error', 0];
  const { code, offset } = first;
  if (code === 'InvalidCommentToken' || text[offset] === '#') return ['a comment (JSON has none)', offset];
  return slipIn(sceneAt(text, code, offset));
}

function sceneAt(text: string, code: string, offset: number): Scene {
  const scanner = createScanner(text, true);
  const open: string[] = [];
  let [before, earlier] = [BEGINNING, BEGINNING];
  for (;;) {
    scanner.scan();
    const start = scanner.getTokenOffset();
    const end = start + scanner.getTokenLength();
    const token = { start, end, text: text.slice(start, end) };
    if (start >= offset) return { text, code, token, before, earlier, open: open.join('') };
    if (isOneOf(token, '{[')) open.push(token.text);
    if (isOneOf(token, '}]')) open.pop();
    [before, earlier] = [token, before];
  }
}

function slipIn(scene: Scene): Slip {
  const { code, token } = scene;
  if (token.text === '') return endSlip(scene);
  const inText = isString(token) ? stringSlip(scene) : undefined;
  const found = curlyEnd(scene) ?? inText ?? adjacentSlip(scene);
  if (found !== undefined) return found;
  return (code === 'InvalidSymbol' ? symbolSlip(scene) : undefined) ?? structuralSlip(scene);
}

const CURLY = '\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\uff02';
const SINGLE = "'`\u2018\u2019\u201a\u201b";
const CURLY_SLIP = 'curly quotes instead of straight double quotes';

/** A text that begins with a straight quote and ends with a curly one: the parser takes it up to the next straight quote. */
function curlyEnd({ token, before }: Scene): Slip | undefined {
  for (const one of isAdjacent(before, token) ? [before, token] : [token]) {
    const at = isString(one) ? one.text.search(new RegExp(`[${CURLY}]\\s*([:,}\\]]|$)`)) : -1;
    if (at > 0) return [CURLY_SLIP, one.start + at];
  }
  return undefined;
}

/** Everything that a backslash may begin in JSON, or a backslash alone. */
const ESCAPES = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})?/g;
const CONTROL = /\p{Cc}/u;
/** The rest of a text with a line break in it. */
const REST_OF_TEXT = /^[^"]{0,5000}[^"\s][^"]{0,5000}"\s*[:,}\]]/;

/** Slips within a text in quotes. */
function stringSlip({ code, text, token, before }: Scene): Slip | undefined {
  const { start, end } = token;
  switch (code) {
    case 'InvalidEscapeCharacter':
    case 'InvalidUnicode': {
      const at = [...token.text.matchAll(ESCAPES)].find(([found]) => found.length === 1)?.index ?? 0;
      return ['a single backslash in a text (write \\\\)', start + at];
    }
    case 'InvalidCharacter': {
      const at = token.text.search(CONTROL);
      return [token.text[at] === '\t' ? 'a tab in a text (write \\t)' : 'a control character in a text', start + at];
    }
    case 'UnexpectedEndOfString': {
      const backslash = token.text.search(/\\"\s*([:,}\]]|$)/);
      if (backslash > 0) return ['a backslash before the closing quote of a text (write \\\\)', start + backslash];
      if (isString(before) && isAdjacent(before, token)) return ['a double quote too many', start];
      if (REST_OF_TEXT.test(text.slice(end, end + 10_100))) return ['a line break in a text (write \\n)', end];
      return ['a text without its closing quote', start];
    }
    default:
      return undefined;
  }
}

/** Slips with two tokens that have no space between them, and with numbers. */
function adjacentSlip({ code, token, before, earlier }: Scene): Slip | undefined {
  if (code === 'UnexpectedEndOfNumber') {
    const what = token.text.endsWith('.') ? 'a number that ends with a point' : 'a number with an unfinished exponent';
    return [what, token.start];
  }
  if (isNumber(token) && before.text === ',' && isNumber(earlier) && isAdjacent(earlier, before)) {
    return isAdjacent(before, token) ? ['a comma in a number (write a point)', before.start] : undefined;
  }
  // A text that begins with a comma or brace is what stands between two texts.
  const mayFollow = isString(token) ? !/^"\s*[,:}\]]/.test(token.text) : /^[=;:,{}[\]]/.test(token.text);
  if (!isAdjacent(before, token) || mayFollow) return undefined;
  if (isString(before)) return ['a double quote missing or too many in the text', before.start];
  if (!isNumber(before)) return undefined;
  if (/^-?0$/.test(before.text) && isNumber(token)) return ['a number that begins with 0', before.start];
  return ['a value that is neither a number nor in quotes', before.start];
}

/** The text ends where something must follow. */
function endSlip({ open, before }: Scene): Slip {
  const missing = [...open]
    .reverse()
    .slice(0, MAX_CLOSERS)
    .map((opener) => CLOSER[opener]);
  return [`the file ends before its closing ${missing.join(' ')}`, before.end];
}

const isInName = ({ open, before }: Scene): boolean => open.endsWith('{') && isOneOf(before, '{,');
const isInValue = ({ open, before }: Scene): boolean =>
  before.text === ':' || (open.endsWith('[') && isOneOf(before, '[,'));

/** Slips with a character or word that JSON does not have. */
function symbolSlip(scene: Scene): Slip | undefined {
  const { token, before, open } = scene;
  const { start, text } = token;
  const first = String.fromCodePoint(text.codePointAt(0) ?? 0);
  if (CURLY.includes(first)) return [CURLY_SLIP, start];
  if (SINGLE.includes(first)) return ['single quotes instead of double quotes', start];
  if (/[\p{Z}\p{C}]/u.test(first)) {
    const codePoint = text.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
    return [`an invisible character (U+${codePoint})`, start];
  }
  if (first === '=') return ['an equals sign instead of a colon', start];
  if (first === ';') return [open === '' ? 'a semicolon' : 'a semicolon instead of a comma', start];
  if (open === '') return before === BEGINNING ? ['a beginning other than {', start] : [AFTER_END, start];
  if (isInName(scene)) return ['a name without double quotes', start];
  return isInValue(scene) ? [wordSlip(wordAt(scene.text, start)), start] : undefined;
}

const MAX_WORD = 64;

/** The scanner takes a minus sign alone as a token. */
const wordAt = (text: string, start: number): string =>
  text.slice(start, start + MAX_WORD).replace(/[\s,:}\]"].*$/s, '');

/** A value that is not in quotes. */
function wordSlip(text: string): string {
  if (/^(true|false|null)$/i.test(text)) return 'true, false or null in capital letters';
  if (/^(none|nil|undefined|nan|[+-]?inf(inity)?)$/i.test(text)) return 'a word for a value that JSON does not have';
  if (/^\+[\d.]/.test(text)) return 'a number that begins with a plus sign';
  if (/^-?\.\d/.test(text)) return 'a number that begins with a point';
  return 'a text without double quotes';
}

const AFTER_END = 'text after the end of the JSON document';

/** Slips with commas, colons, brackets and braces. */
function structuralSlip(scene: Scene): Slip {
  const { code, token, before, open } = scene;
  const { text, start } = token;
  if (open === '') return outerSlip(scene);
  const closer = CLOSER[open.slice(-1)] ?? '';
  if (isOneOf(token, '}]')) {
    if (before.text === ',') return ['a comma after the last entry', before.start];
    if (text !== closer) return [`a ${text} where a ${closer} is needed`, start];
    return [before.text === ':' ? 'no value after a colon' : 'no colon and no value after a name', before.end];
  }
  if (text === ',' && before.text === ',') return ['two commas in a row', start];
  if (text === ',' && isOneOf(before, '{[')) return ['a comma before the first entry', start];
  if (text === ':' && before.text === ':') return ['two colons in a row', start];
  if (text === ',' && before.text === ':') return ['no value after a colon', before.end];
  if (text === ':' && open.endsWith('[')) return ['a colon in a list', start];
  if (isInName(scene)) return ['a name in double quotes is missing', start];
  if (code === 'ColonExpected') return ['a colon is missing after a name', before.end];
  if (text === ':') return ['a colon instead of a comma', start];
  return ['a comma is missing', before.end];
}

/** Slips before or after the outer braces. */
function outerSlip({ token, before }: Scene): Slip {
  if (before === BEGINNING) return ['a beginning other than {', token.start];
  if (isOneOf(token, '}]')) return [`a ${token.text} too many`, token.start];
  if (isOneOf(token, '{[')) return ['a second JSON document begins', token.start];
  if (token.text === ':') return ['the { at the beginning is missing', before.start];
  return [AFTER_END, token.start];
}
