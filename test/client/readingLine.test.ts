import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createJsonLines, MAX_LINE_BYTES } from '../../src/client/jsonLines.ts';
import { parseReadingLine } from '../../src/client/readingLine.ts';

describe('parseReadingLine', () => {
  it.each([
    ['{"spot":1,"temperature":36.6}', [[1, 36.6]]],
    ['{"spot":2,"temperature":-3,"unit":"C"}', [[2, -3]]],
    [
      '{"1":36.6,"2":21}',
      [
        [1, 36.6],
        [2, 21],
      ],
    ],
    ['{}', []],
  ])('accepts %s', (line, expected) => {
    expect([...(parseReadingLine(line) ?? [])]).toEqual(expected);
  });

  it.each([
    ['{"spot":1}'],
    ['{"spot":"1","temperature":20}'],
    ['{"spot":0,"temperature":20}'],
    ['{"spot":1.5,"temperature":20}'],
    ['{"spot":1,"temperature":"20"}'],
    ['{"spot":1,"temperature":1e9}'],
    ['{"spot":1,"temperature":-300}'],
    ['{"a":20}'],
    ['{"1":null}'],
    ['{"99999999999":20}'],
    ['[1]'],
    ['20'],
    ['null'],
    ['nonsense'],
    [''],
  ])('refuses %s', (line) => {
    expect(parseReadingLine(line)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => void parseReadingLine(line)));
  });
});

describe('createJsonLines', () => {
  function collect(chunks: readonly Uint8Array[]) {
    const lines: string[] = [];
    let tooLong = 0;
    const splitter = createJsonLines(
      (line) => lines.push(line),
      () => {
        tooLong += 1;
      },
    );
    for (const chunk of chunks) splitter.feed(chunk);
    return { lines, tooLong: () => tooLong, splitter };
  }

  it('finds the same lines for any split of the bytes', () => {
    const text = Buffer.from('{"1":1}\n\r\n{"näme":"ü"}\r\n{"3":3}\nrest');
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 10 }), (splits) => {
        const edges = [0, ...splits.toSorted((a, b) => a - b), text.length];
        const chunks = edges.slice(1).map((end, index) => text.subarray(edges[index], end));
        const { lines, splitter } = collect(chunks);
        expect(lines).toEqual(['{"1":1}', '{"näme":"ü"}', '{"3":3}']);
        expect(splitter.unfinished()).toBe('rest');
      }),
    );
  });

  it('accepts a line of 64 KiB and drops a longer one up to its end, with one report', () => {
    const longest = 'a'.repeat(MAX_LINE_BYTES);
    const { lines, tooLong } = collect([
      Buffer.from(`${longest}\n`),
      Buffer.from(longest),
      Buffer.from('b'),
      Buffer.from(longest),
      Buffer.from('c\nok\n'),
    ]);
    expect(lines).toEqual([longest, 'ok']);
    expect(tooLong()).toBe(1);
  });

  it('keeps the bytes even if their memory is reused', () => {
    const memory = Buffer.from('{"1"');
    const { lines, splitter } = collect([memory]);
    memory.fill('x');
    splitter.feed(Buffer.from(':1}\n'));
    expect(lines).toEqual(['{"1":1}']);
  });

  it('drops an unfinished line on reset', () => {
    const { lines, splitter } = collect([Buffer.from('half')]);
    splitter.reset();
    splitter.feed(Buffer.from('whole\n'));
    expect(lines).toEqual(['whole']);
  });
});
