import { describe, expect, it } from 'vitest';
import { requireOnlyChanged } from '../../../src/config/json/onlyChanged.ts';
import { everyWordOf, failureOf } from '../scratch.ts';

const BEFORE = '{"a":1,"s":{"k":"old","n":9007199254740993},"l":[1,{"x":2}],"e":{}}';
const PATHS = [['s', 'k'], ['new']];

describe('requireOnlyChanged', () => {
  it.each([
    ['nothing', BEFORE],
    ['a value at a given path', BEFORE.replace('"old"', '{"any":[1]}')],
    ['a property at a given path', BEFORE.replace('"k":"old",', '').replace('"e":{}', '"e":{},"new":{"k":1}')],
    ['white space', BEFORE.replaceAll(',', ' ,\n')],
  ])('accepts a text that differs in %s', (_what, after) => {
    expect(() => requireOnlyChanged(BEFORE, after, PATHS)).not.toThrow();
  });

  it.each([
    ['a different value', BEFORE.replace('"a":1', '"a":2')],
    ['a number that is the same double', BEFORE.replace('993', '992')],
    ['the spelling of a number', BEFORE.replace('"a":1', '"a":1.0')],
    ['the spelling of a key', BEFORE.replace('"a"', '"\\u0061"')],
    ['the order', '{"s":{"k":"old","n":9007199254740993},"a":1,"l":[1,{"x":2}],"e":{}}'],
    ['a lost property', BEFORE.replace(',"e":{}', '')],
    ['an added property', BEFORE.replace('"e":{}', '"e":{"k":1}')],
    ['the depth', BEFORE.replace('[1,{"x":2}]', '[[1],{"x":2}]')],
    ['the object that a property belongs to', BEFORE.replace('}],"e":{}', ',"e":{}}]')],
    ['the kind of a container', BEFORE.replace('"e":{}', '"e":[]')],
    ['a trailing comma, which is not JSON', BEFORE.replace('{}}', '{},}')],
    ['a comment, which is not JSON', `${BEFORE}//`],
    ['everything', ''],
  ])('refuses a text that differs in %s', async (_what, after) => {
    const failure = await failureOf(() => requireOnlyChanged(BEFORE, after, PATHS));
    expect(failure.code).toBe('INTERNAL');
    expect(everyWordOf(failure)).not.toContain('old"');
  });

  it('refuses a change in a list, at a property that is named as an excepted one outside the list', async () => {
    const [before, after] = ['{"l":[{"s":{"k":1}},{"new":1}]}', '{"l":[{"s":{"k":2}},{"new":1}]}'];
    expect((await failureOf(() => requireOnlyChanged(before, after, PATHS))).code).toBe('INTERNAL');
    const other = before.replace('"new":1', '"new":2');
    expect((await failureOf(() => requireOnlyChanged(before, other, PATHS))).code).toBe('INTERNAL');
  });

  it('refuses an incomplete property', async () => {
    expect((await failureOf(() => requireOnlyChanged('{"a":1}', '{"a"', []))).code).toBe('INTERNAL');
  });
});
