import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duplicateKeys, readJsonObject } from '../../../src/config/json/strictJson.ts';

describe('readJsonObject', () => {
  it('returns the text without its byte-order mark, and reports the mark', () => {
    const read = readJsonObject(Buffer.from('\uFEFF{"a":1}'), 3);
    expect(read).toEqual({ ok: true, text: '{"a":1}', bom: true, value: { a: 1 } });
  });

  it('reads a part of a larger buffer', () => {
    const whole = Buffer.from('xx{"a":1}xx');
    expect(readJsonObject(whole.subarray(2, 9), 3)).toMatchObject({ ok: true, text: '{"a":1}', bom: false });
  });

  it('accepts exactly what JSON.parse accepts, and reports the place of an error', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      '"',
      '1',
      '-',
      '01',
      '1.',
      'true',
      'nul',
      ' ',
      '\n',
      '/',
      '//',
      '/*',
      '*/',
      '\\u12',
      '\t',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), (parts) => {
        const text = `{"k":${parts.join('')}}`;
        const read = readJsonObject(Buffer.from(text), 64);
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        expect(read.ok).toBe(isJson);
        if (!read.ok) expect(read.problem).toMatch(/^is not valid JSON: (?!syntax error).+ at line \d+, column \d+$/);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['lists', '['.repeat(100_000)],
    ['objects', '{"a":'.repeat(100_000)],
    ['lists closed by the wrong bracket', '[},'.repeat(100_000)],
    ['lists after an unclosed string', `"\n${'['.repeat(100_000)}`],
    ['lists after a comment', `/* " */${'['.repeat(100_000)}`],
  ])('refuses 100,000 levels of %s without recursing into them', (_what, text) => {
    expect(readJsonObject(Buffer.from(text), 32)).toEqual({ ok: false, problem: 'is nested deeper than 32 levels' });
  });

  it('refuses 10 MB of garbage in bounded time', () => {
    const started = performance.now();
    expect(readJsonObject(Buffer.alloc(10_000_000, 'x'), 32).ok).toBe(false);
    expect(readJsonObject(Buffer.alloc(10_000_000, 0), 32).ok).toBe(false);
    expect(readJsonObject(Buffer.alloc(10_000_000, ' '), 32).ok).toBe(false);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it.each([
    ['UTF-16', Buffer.from('\uFEFF{"a":1}', 'utf16le'), 'is saved as UTF-16: save it as UTF-8'],
    ['UTF-16 without a mark', Buffer.from('{"a":1}', 'utf16le'), 'is saved as UTF-16: save it as UTF-8'],
    ['UTF-32', Buffer.from('{\0\0\0}\0\0\0'), 'is saved as UTF-32: save it as UTF-8'],
    ['Latin-1', Buffer.from('{\n"a":"\u00e4"}', 'latin1'), 'is not UTF-8 text (line 2, column 6): save it as UTF-8'],
    ['zero bytes alone', Buffer.alloc(512), 'holds only zero bytes, as after a power loss'],
    [
      'zero bytes to its end',
      Buffer.concat([Buffer.from('{"a":\n1'), Buffer.alloc(9)]),
      'holds zero bytes, as after a power loss, from line 2, column 2 to its end',
    ],
    ['binary data', Buffer.from('{"a":\0"b"}'), 'holds binary data instead of JSON'],
  ])('names a file of %s', (_what, bytes, problem) => {
    expect(readJsonObject(bytes, 3)).toEqual({ ok: false, problem });
  });

  it('ignores brackets in strings', () => {
    expect(readJsonObject(Buffer.from('{"a":"[[[[[[","b":"\\"[[[["}'), 1).ok).toBe(true);
  });
});

describe('duplicateKeys', () => {
  it('finds each path once for every spelling of the key', () => {
    expect(duplicateKeys('{"a":1,"\\u0061":2,"a":3,"b":{"c":1},"d":[{"c":1},{"c":1,"c":2}]}')).toEqual([
      ['a'],
      ['d', 1, 'c'],
    ]);
  });

  it('finds none when the same key is in different objects', () => {
    expect(duplicateKeys('{"a":{"a":{"a":1}},"b":{"a":1}}')).toEqual([]);
  });
});
