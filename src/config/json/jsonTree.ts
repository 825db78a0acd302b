import { type Node, parseTree } from 'jsonc-parser';
import { Failure } from '../../failures/failure.ts';

/** One property of an object in the syntax tree. Duplicate keys give several properties. */
export interface Property {
  readonly key: Node;
  readonly value: Node;
}

/**
 * The syntax tree of a JSON text of limited depth, which may have comments and commas after the last entry.
 * @throws Failure INTERNAL when the text holds no value
 */
export function syntaxTree(text: string): Node {
  const root = parseTree(text);
  if (root === undefined) throw new Failure('INTERNAL', 'emptyJson', {});
  return root;
}

/** The properties of an object in their order. Any other node has none. */
export function propertiesOf(object: Node): readonly Property[] {
  if (object.type !== 'object') return [];
  return childrenOf(object).flatMap((property) => {
    const [key, value] = childrenOf(property);
    return key === undefined || value === undefined ? [] : [{ key, value }];
  });
}

/** The direct children of a list, an object or a property. A plain value has none. */
export const childrenOf = (node: Node): readonly Node[] => node.children ?? [];
