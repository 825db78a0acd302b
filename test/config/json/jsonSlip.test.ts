import fc from 'fast-check';
import { createScanner } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import { describeSlip, placeOf } from '../../../src/config/json/jsonSlip.ts';
import { SEED } from '../../support/propertyTest.ts';

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe('the description of a slip', () => {
  it.each<[text: string, says: string]>([
    ['{"a":1\n "b":2}', 'a comma is missing at line 1, column 7'],
    ['{"a":[1 2]}', 'a comma is missing at line 1, column 8'],
    ['{"a":1,\n}', 'a comma after the last entry at line 1, column 7'],
    ['{"a":[1,]}', 'a comma after the last entry at line 1, column 8'],
    ['{"a":1,,"b":2}', 'two commas in a row at line 1, column 8'],
    ['{,"a":1}', 'a comma before the first entry at line 1, column 2'],
    ['{\n// camera\n"a":1}', 'a comment (JSON has none) at line 2, column 1'],
    ['{"a":1 /* open', 'a comment (JSON has none) at line 1, column 8'],
    ['# camera\n{"a":1}', 'a comment (JSON has none) at line 1, column 1'],
    ["{'a':1}", 'single quotes instead of double quotes at line 1, column 2'],
    ['{"a":`b`}', 'single quotes instead of double quotes at line 1, column 6'],
    ['{\u201ca\u201d:1}', 'curly quotes instead of straight double quotes at line 1, column 2'],
    ['{"a\u201d: "b"}', 'curly quotes instead of straight double quotes at line 1, column 4'],
    ['{"a": "b\u201d\n}', 'curly quotes instead of straight double quotes at line 1, column 9'],
    ['{a:1}', 'a name without double quotes at line 1, column 2'],
    ['{"a":1,b:2}', 'a name without double quotes at line 1, column 8'],
    ['{"a":tb.example.com}', 'a text without double quotes at line 1, column 6'],
    ['{"a":"x,\n"b":1}', 'a text without its closing quote at line 1, column 6'],
    ['{"a":"x', 'the file ends before'],
    ['{"a":"x,"b":1}', 'a double quote missing or too many in the text at line 1, column 6'],
    ['{"a":"say "x" now"}', 'a double quote missing or too many in the text at line 1, column 6'],
    ['{"a":"x"",\n"b":1}', 'a double quote too many at line 1, column 9'],
    ['{"a":"x"","b":1}', 'a double quote missing or too many in the text at line 1, column 6'],
    ['{"a":{"b":[1\n', 'the file ends before its closing ] } } at line 1, column 13'],
    ['{"a":', 'the file ends before its closing } at line 1, column 6'],
    ['{"a"', 'the file ends before its closing } at line 1, column 5'],
    ['{"a":[1,2}', 'a } where a ] is needed at line 1, column 10'],
    ['{"a":1]', 'a ] where a } is needed at line 1, column 7'],
    ['{"a":1}}', 'a } too many at line 1, column 8'],
    ['{"a":1}\n{"b":1}', 'a second JSON document begins at line 2, column 1'],
    ['{"a":1} x', 'text after the end of the JSON document at line 1, column 9'],
    ['{"a":1},"b":2', 'text after the end of the JSON document at line 1, column 8'],
    ['"a":1}', 'the { at the beginning is missing at line 1, column 1'],
    ['host=x', 'a beginning other than { at line 1, column 1'],
    ['}', 'a beginning other than { at line 1, column 1'],
    ['{"f":"C:\\cam\\ca.pem"}', 'a single backslash in a text (write \\\\) at line 1, column 9'],
    ['{"f":"\\u12"}', 'a single backslash in a text (write \\\\) at line 1, column 7'],
    ['{"f":"C:\\"\n}', 'a backslash before the closing quote of a text (write \\\\) at line 1, column 9'],
    ['{"f":"--\nMII\n--","b":1}', 'a line break in a text (write \\n) at line 1, column 9'],
    ['{"f":"a\tb"}', 'a tab in a text (write \\t) at line 1, column 8'],
    ['{"f":"a\u0007b"}', 'a control character in a text at line 1, column 8'],
    ['{"a":01}', 'a number that begins with 0 at line 1, column 6'],
    ['{"a":+1}', 'a number that begins with a plus sign at line 1, column 6'],
    ['{"a":.5}', 'a number that begins with a point at line 1, column 6'],
    ['{"a":-.5}', 'a number that begins with a point at line 1, column 6'],
    ['{"a":1.}', 'a number that ends with a point at line 1, column 6'],
    ['{"a":1e}', 'a number with an unfinished exponent at line 1, column 6'],
    ['{"a":1,5}', 'a comma in a number (write a point) at line 1, column 7'],
    ['{"a":192.168.1.1}', 'a value that is neither a number nor in quotes at line 1, column 6'],
    ['{"a":0x1F}', 'a value that is neither a number nor in quotes at line 1, column 6'],
    ['{"a":True}', 'true, false or null in capital letters at line 1, column 6'],
    ['{"a":None}', 'a word for a value that JSON does not have at line 1, column 6'],
    ['{"a":-Infinity}', 'a word for a value that JSON does not have at line 1, column 6'],
    ['{"a"="b"}', 'an equals sign instead of a colon at line 1, column 5'],
    ['{"a" = 1}', 'an equals sign instead of a colon at line 1, column 6'],
    ['{"a":"x";"b":2}', 'a semicolon instead of a comma at line 1, column 9'],
    ['{"a":1};', 'a semicolon at line 1, column 8'],
    ['{"a" "b"}', 'a colon is missing after a name at line 1, column 5'],
    ['{"a"}', 'no colon and no value after a name at line 1, column 5'],
    ['{"a":}', 'no value after a colon at line 1, column 6'],
    ['{"a":,"b":1}', 'no value after a colon at line 1, column 6'],
    ['{"a"::1}', 'two colons in a row at line 1, column 6'],
    ['{"a":1:2}', 'a colon instead of a comma at line 1, column 7'],
    ['["a":1]', 'a colon in a list at line 1, column 5'],
    ['{1:2}', 'a name in double quotes is missing at line 1, column 2'],
    ['{"a":\u00a01}', 'an invisible character (U+00A0) at line 1, column 6'],
  ])('%j', (text, says) => {
    const isCut = says === 'the file ends before';
    expect(describeSlip(text)).toContain(isCut ? 'a text without its closing quote at line 1, column 6' : says);
  });

  it('counts lines in every form of line break', () => {
    expect(placeOf('a\nb\r\nc\rde', 8)).toBe('line 4, column 2');
  });
});

/** A valid document, and its tokens. The texts look like secrets, so that each part of one would be noticed. */
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>(7, -12.5, true, null, 'ZQ JX', 'ZQ;JX', ''),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^k[a-z]{1,5}$/), tie('any'), { maxKeys: 3 }),
  ),
})).any;
const documents = fc
  .tuple(fc.dictionary(fc.stringMatching(/^k[a-z]{1,5}$/), value, { minKeys: 2, maxKeys: 4 }), fc.constantFrom(0, 2))
  .map(([root, indent]) => JSON.stringify(root, null, indent));

interface Token {
  readonly offset: number;
  readonly text: string;
}

function tokensOf(text: string): readonly Token[] {
  const scanner = createScanner(text, true);
  const tokens: Token[] = [];
  for (;;) {
    scanner.scan();
    const offset = scanner.getTokenOffset();
    if (offset >= text.length) return tokens;
    tokens.push({ offset, text: text.slice(offset, offset + scanner.getTokenLength()) });
  }
}

/** One slip: the tokens where it may be made, the new text of the token, and where the slip then is. */
interface Kind {
  readonly fits: (token: Token, before: Token | undefined, next: Token | undefined) => boolean;
  readonly spoilt: (text: string) => string;
  readonly at: number | 'end';
  readonly says: RegExp;
}
const isName = (token: Token, next: Token | undefined) => token.text.startsWith('"') && next?.text === ':';
const KINDS: Readonly<Record<string, Kind>> = {
  'a comma that is missing': {
    fits: ({ text }) => text === ',',
    spoilt: () => ' ',
    at: 0,
    says: /^a comma is missing/,
  },
  'two commas': { fits: ({ text }) => text === ',', spoilt: () => ',,', at: 1, says: /^two commas in a row/ },
  'a comma after the last entry': {
    fits: ({ text }, _, next) => !/^[,:{[]/.test(text) && /^[\]}]/.test(next?.text ?? ''),
    spoilt: (text) => `${text},`,
    at: 'end',
    says: /^a comma after the last entry/,
  },
  'a comment': { fits: () => true, spoilt: (text) => `/* ZQJX */${text}`, at: 0, says: /^a comment/ },
  'single quotes': {
    fits: ({ text }) => text.startsWith('"'),
    spoilt: (text) => text.replaceAll('"', "'"),
    at: 0,
    says: /^single quotes/,
  },
  'curly quotes': {
    fits: ({ text }) => text.startsWith('"'),
    spoilt: (text) => `\u201c${text.slice(1, -1)}\u201d`,
    at: 0,
    says: /^curly quotes/,
  },
  'a name without quotes': {
    fits: (token, _, next) => isName(token, next),
    spoilt: (text) => text.slice(1, -1),
    at: 0,
    says: /^a name without double quotes/,
  },
  'a single backslash': {
    fits: ({ text }) => text.startsWith('"'),
    spoilt: (text) => `"\\c${text.slice(1)}`,
    at: 1,
    says: /^a single backslash/,
  },
  'a tab in a text': {
    fits: ({ text }) => text.startsWith('"'),
    spoilt: (text) => `"\t${text.slice(1)}`,
    at: 1,
    says: /^a tab in a text/,
  },
  'an equals sign': { fits: ({ text }) => text === ':', spoilt: () => '=', at: 0, says: /^an equals sign/ },
  'a number with a leading zero': {
    fits: ({ text }) => /^\d/.test(text),
    spoilt: (text) => `0${text}`,
    at: 0,
    says: /^a number that begins with 0/,
  },
  'a word in capital letters': {
    fits: ({ text }) => text === 'true',
    spoilt: () => 'True',
    at: 0,
    says: /^true, false or null in capital/,
  },
  'a wrong closing brace': {
    fits: ({ text }, before) => text === ']' && before?.text !== '[',
    spoilt: () => '}',
    at: 0,
    says: /^a } where a ] is needed/,
  },
};

describe(`one slip at a random place of a valid document (FC_SEED=${SEED})`, () => {
  it.each(Object.entries(KINDS))('%s: is named, with its line and column', (_name, { fits, spoilt, at, says }) => {
    let made = 0;
    const property = fc.property(documents, fc.nat(), (document, choice) => {
      const tokens = tokensOf(document);
      const places = tokens.filter((token, index) => fits(token, tokens[index - 1], tokens[index + 1]));
      const place = places[choice % Math.max(places.length, 1)];
      if (place === undefined) return;
      made += 1;
      const { offset, text: token } = place;
      const text = document.slice(0, offset) + spoilt(token) + document.slice(offset + token.length);
      const said = describeSlip(text);
      expect(said).toMatch(says);
      expect(said).toMatch(new RegExp(` at ${placeOf(text, offset + (at === 'end' ? token.length : at))}$`));
    });
    fc.assert(property, { seed: SEED, numRuns: 150 });
    expect(made).toBeGreaterThan(20);
  });

  it('a cut or changed text: is never quoted, and the place is within the text', () => {
    const change = fc.record({
      at: fc.nat(),
      gone: fc.nat({ max: 3 }),
      put: fc.constantFrom('', '"', "'", ',', ':', '{'),
    });
    const property = fc.property(documents, change, fc.boolean(), (document, { at, gone, put }, isCut) => {
      const start = at % document.length;
      const text = document.slice(0, start) + (isCut ? '' : put + document.slice(start + gone));
      if (isJson(text) || text.trim() === '') return;
      const said = describeSlip(text);
      const [, line = '0', column = '0'] = /at line (\d+), column (\d+)$/.exec(said) ?? [];
      expect(text.split('\n')[Number(line) - 1]?.length ?? -1).toBeGreaterThanOrEqual(Number(column) - 1);
      expect(said).not.toMatch(/Z|Q|J(?!SON)|X/);
    });
    fc.assert(property, { seed: SEED, numRuns: 1500 });
  });
});
