import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRepairedJson } from '../../../src/config/json/repairedJson.ts';
import { SEED } from '../../support/propertyTest.ts';

const read = (text: string | Uint8Array) => readRepairedJson(Buffer.from(text), 8);
const textOf = (text: string | Uint8Array): string | undefined => {
  const json = read(text);
  return json.ok ? json.text : undefined;
};

describe('the repair', () => {
  it.each([
    ['{\n  // hall 3\n  "a": 1, // moved\n  "b": [1, 2, /* no more */ ],\n}\n', '{\n  "a": 1,\n  "b": [1, 2 ]\n}\n'],
    ['// first\r\n/* a */ /* b */\r\n{"a":1}// last', '{"a":1}'],
    ['{"u":"http://x/*y*/","v":",}",}', '{"u":"http://x/*y*/","v":",}"}'],
    ['{"n":9007199254740993.10,"n":1e400,}', '{"n":9007199254740993.10,"n":1e400}'],
  ])('of %j keeps every name and value as it is spelled', (text, repaired) => {
    expect(textOf(text)).toBe(repaired);
  });

  it('tells what was wrong, and keeps a byte-order mark', () => {
    expect(read('\uFEFF{"a":1,}')).toEqual({
      ok: true,
      text: '{"a":1}',
      bom: true,
      value: { a: 1 },
      repaired: 'is not valid JSON: a comma after the last entry at line 1, column 7',
    });
  });

  it.each([
    ['UTF-16 with a mark', Buffer.from('\uFEFF{"a":"\u00e4"}', 'utf16le')],
    ['UTF-16 without a mark', Buffer.from('{"a":"\u00e4"}', 'utf16le')],
    ['UTF-16 in the other order', Buffer.from('\uFEFF{"a":"\u00e4"}', 'utf16le').swap16()],
    ['UTF-16 in the other order, without a mark', Buffer.from('{"a":"\u00e4"}', 'utf16le').swap16()],
  ])('reads %s', (_name, bytes) => {
    expect(read(bytes)).toMatchObject({ text: '{"a":"\u00e4"}', repaired: 'is saved as UTF-16: save it as UTF-8' });
  });

  it('does nothing to valid JSON', () => {
    expect(read('{ "a" : 1 }')).toEqual({ ok: true, text: '{ "a" : 1 }', bom: false, value: { a: 1 } });
  });

  it.each([
    '{"a":1 "b":2}',
    '{"a":1,,}',
    '{"a":[,]}',
    '{,}',
    "{'a':1,}",
    '{a:1,}',
    '{"a":1} // x\n{"b":1}',
    '{"a":1} /* open',
    '{"a":1,/* open',
    '{"a":1,',
    '{"a":tr/**/ue}',
    '# x\n{"a":1,}',
    '// only a comment',
    '[1,]',
    `{"a":${'['.repeat(9)}1,${']'.repeat(9)}}`,
    Buffer.from('{"a":"\u00e4",}', 'latin1'),
    Buffer.from('\uFEFF{"a":1', 'utf16le'),
    Buffer.concat([Buffer.from('{"a":1}', 'utf16le'), Buffer.from([0xd8])]),
    Buffer.from([0xff, 0xfe, 0, 0, 0x7b, 0, 0, 0]),
  ])('guesses nothing: %j stays unusable', (text) => {
    expect(read(text).ok).toBe(false);
  });

  it.each(['[', '{"a":'])('refuses 100,000 levels of %s without recursing into them', (open) => {
    expect(read(`${open.repeat(100_000)}1,`).ok).toBe(false);
  });

  it('of a megabyte of comments and commas takes a moment', () => {
    const started = performance.now();
    expect(read(`{"a":[${'1,/* c */\n'.repeat(100_000)}1,]}`).ok).toBe(true);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it(`of comments and commas anywhere in a document gives the document (FC_SEED=${SEED})`, () => {
    const extra = fc.constantFrom('', '', ' ', '\n', '/* "}] */', '// ,]\n', '/**/');
    const plain = fc.jsonValue({ maxDepth: 3 });
    const property = fc.property(fc.dictionary(fc.string(), plain), fc.infiniteStream(extra), (root, extras) => {
      const next = (): string => extras.next().value ?? '';
      // JSON.stringify writes a line break only between tokens.
      const spoilt = JSON.stringify(root, null, 1)
        .replaceAll(/([^[{,])\n( *[\]}])/g, (_, before: string, after: string) => `${before},${next()}\n${after}`)
        .replaceAll(/\n/g, () => `${next()}\n${next()}`);
      const json = readRepairedJson(Buffer.from(`${next()}${spoilt}${next()}`), 32);
      expect(json.ok ? json.value : json.problem).toEqual(JSON.parse(JSON.stringify(root)));
    });
    fc.assert(property, { seed: SEED, numRuns: 300 });
  });
});
