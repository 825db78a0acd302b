import { describe, expect, it } from 'vitest';
import { type Fault, findJsonObjects, MAX_OBJECT_BYTES } from '../../src/fleet/jsonObjects.ts';

/** What is found in a text: the line with the parsed object or the fault. @param step bytes of a chunk */
function found(text: string | Buffer, step = Number.POSITIVE_INFINITY): (readonly [number, unknown])[] {
  const all: (readonly [number, unknown])[] = [];
  const objects = findJsonObjects({
    object: (part, line) => void all.push([line, JSON.parse(part)]),
    fault: (fault: Fault, line) => void all.push([line, fault]),
  });
  const bytes = Buffer.from(text);
  const memory = Buffer.alloc(Math.min(step, bytes.length));
  for (let at = 0; at < bytes.length; at += memory.length) {
    const length = bytes.copy(memory, 0, at);
    objects.feed(memory.subarray(0, length));
  }
  objects.end();
  return all;
}

const ONE = { name: 'a "quoted" } { name \\', list: [{ deep: [1, {}] }], text: 'ä€\u{1f4f7}' };
const TWO = { two: 2 };
const pretty = (value: unknown, indent = 2): string => JSON.stringify(value, null, indent);

describe('the objects of a stream', () => {
  it.each([
    ['one document', pretty(ONE), [1, ONE]],
    ['lines', `${JSON.stringify(ONE)}\n\n${JSON.stringify(TWO)}\r\n`, [1, ONE], [3, TWO]],
    ['documents in sequence', `${pretty(ONE)}\n${pretty(TWO)}`, [1, ONE], [13, TWO]],
    ['documents without a line break', JSON.stringify(ONE) + JSON.stringify(TWO), [1, ONE], [1, TWO]],
    ['an array', pretty([TWO, TWO]), [2, TWO], [5, TWO]],
    ['an array on one line', JSON.stringify([ONE, TWO]), [1, ONE], [1, TWO]],
    ['a document without indentation', pretty(ONE).replaceAll(/^ +/gm, ''), [1, ONE]],
    ['files with a byte order mark', `\ufeff${pretty(TWO)}\n\ufeff${pretty(TWO)}`, [1, TWO], [4, TWO]],
    ['a sequence of JSON texts', `\u001e${JSON.stringify(ONE)}\n\u001e${JSON.stringify(TWO)}\n`, [1, ONE], [2, TWO]],
  ])('are found in %s, in chunks of every size', (_name, text, ...expected) => {
    expect(found(text)).toEqual(expected);
    for (const step of [1, 2, 3, 7]) expect(found(text, step)).toEqual(expected);
  });

  it.each([
    ['text between lines', `warning: { x\nmore\n${JSON.stringify(TWO)}\n`, [1, 'not JSON'], [3, TWO]],
    ['a line that ends in a string', `{"a":"b\n${JSON.stringify(TWO)}`, [1, 'cut off'], [2, TWO]],
    ['a line that ends after a value', `{"a":{"b":1\n${JSON.stringify(TWO)}`, [1, 'cut off'], [2, TWO]],
    ['a line that ends after a comma', `{"a":1,\n${JSON.stringify(TWO)}`, [1, 'cut off'], [2, TWO]],
    ['a document that ends after a bracket', `{\n  "a": [\n${pretty(TWO)}`, [1, 'cut off'], [3, TWO]],
    ['a document that ends in a string', `{\n  "a": {\n    "b": "c\n  }\n}\n${pretty(TWO)}`, [1, 'cut off'], [6, TWO]],
    [
      'a document with objects in it',
      `{\n  "a": "b\n  "c": [\n    {\n    }\n  ]\n}\n${pretty(TWO)}`,
      [1, 'cut off'],
      [8, TWO],
    ],
    ['an element of an array', `[\n  {\n    "a": "b\n  },\n  ${pretty(TWO)}\n]`, [2, 'cut off'], [5, TWO]],
    ['the end', `${JSON.stringify(TWO)}\n{"a":`, [1, TWO], [2, 'cut off']],
    ['NUL bytes', `\0\0\0\n${JSON.stringify(TWO)}`, [1, 'not JSON'], [2, TWO]],
    ['numbers', '[1, 2,\n3]', [1, 'not JSON']],
  ])('are found after or before a damaged part: %s', (_name, text, ...expected) => {
    expect(found(text)).toEqual(expected);
    expect(found(text, 1)).toEqual(expected);
  });

  it.each([1000, 1024 * 1024])('above the limit are reported once and dropped, in chunks of %i bytes', (step) => {
    const large = `{"a":"${'x'.repeat(MAX_OBJECT_BYTES)}"}`;
    expect(found(`${large}\n${JSON.stringify(TWO)}`, step)).toEqual([
      [1, 'too large'],
      [2, TWO],
    ]);
    expect(found(large.slice(0, -1), step)).toEqual([[1, 'too large']]);
    const largest = large.replace('xxxxxxxx', '');
    expect(largest).toHaveLength(MAX_OBJECT_BYTES);
    expect(found(largest, step)).toEqual([[1, JSON.parse(largest)]]);
  });
});
