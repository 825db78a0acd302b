import { type Node, parseTree } from 'jsonc-parser';
import { Failure } from '../../failures/failure.ts';

/** One property of an object in the syntax tree; equal keys give several. */
export interface Property {
  readonly key: Node;
  readonly value: Node;
}

/**
 * The syntax tree of a JSON text of limited depth.
 * @throws Failure INTERNAL when there is not even a value
 */
export function syntaxTree(text: string): Node {
  const root = parseTree(text);
  if (root === undefined) throw new Failure('INTERNAL', 'emptyJson', {});
  return root;
}

/** The properties of an object in their order; of anything else none. */
export function propertiesOf(object: Node): readonly Property[] {
  if (object.type !== 'object') return [];
  return childrenOf(object).flatMap((property) => {
    const [key, value] = childrenOf(property);
    return key === undefined || value === undefined ? [] : [{ key, value }];
  });
}

/** What lies directly inside a list, an object or a property; nothing in a plain value. */
export const childrenOf = (node: Node): readonly Node[] => node.children ?? [];
