import { describe, expect, it } from 'vitest';
import { childrenOf, propertiesOf, syntaxTree } from '../../../src/config/json/jsonTree.ts';
import { failureOf } from '../scratch.ts';

const keysIn = (text: string) => propertiesOf(syntaxTree(text)).map(({ key }) => key.value);

describe('the syntax tree', () => {
  it('returns the properties of an object in order, including duplicate keys', () => {
    expect(keysIn('{"b":1,"a":2,"b":3}')).toEqual(['b', 'a', 'b']);
  });

  it.each(['[1]', '"x"', '{}', '{"a"'])('has no properties for %j', (text) => {
    expect(keysIn(text)).toEqual([]);
  });

  it('has no children in a plain value', () => {
    expect(childrenOf(syntaxTree('1'))).toEqual([]);
  });

  it('refuses a text without a value', async () => {
    expect((await failureOf(() => syntaxTree(' '))).code).toBe('INTERNAL');
  });
});
