import type { Node } from 'jsonc-parser';
import { Failure } from '../../failures/failure.ts';
import { childrenOf, propertiesOf, syntaxTree } from './jsonTree.ts';

type Path = readonly (string | number)[];

const isWithin = (path: Path, prefix: Path): boolean => prefix.every((segment, index) => path[index] === segment);

const sourceOf = (text: string, { offset, length }: Node): string => text.slice(offset, offset + length);

/**
 * The tokens of a JSON text in order and in their original spelling, without white space and without the properties
 * at the `except` paths. Spelled numbers are compared, because parsing a number can lose digits.
 */
function spelledTokens(text: string, except: readonly Path[]): string[] {
  const tokens: string[] = [];
  const visit = (node: Node, path: Path): void => {
    const isContainer = node.type === 'object' || node.type === 'array';
    tokens.push(isContainer ? node.type : sourceOf(text, node));
    if (node.type === 'array') for (const [index, item] of childrenOf(node).entries()) visit(item, [...path, index]);
    for (const { key, value } of propertiesOf(node)) {
      const inner = [...path, String(key.value)];
      if (except.some((prefix) => isWithin(inner, prefix))) continue;
      tokens.push(sourceOf(text, key));
      visit(value, inner);
    }
    if (isContainer) tokens.push(`end of ${node.type}`);
  };
  visit(syntaxTree(text), []);
  return tokens;
}

function isStrictJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether the new text is JSON and has the tokens of the old text, except at the given paths. */
export function hasOnlyChanged(before: string, after: string, paths: readonly Path[]): boolean {
  const old = spelledTokens(before, paths);
  const now = spelledTokens(after, paths);
  return old.length === now.length && old.every((token, index) => token === now[index]) && isStrictJson(after);
}

/**
 * Proves that an edited JSON text is JSON and differs from the old text only at the given properties. This is the last
 * check before the camera's configuration is replaced.
 * @throws Failure INTERNAL
 */
export function requireOnlyChanged(before: string, after: string, paths: readonly Path[]): void {
  if (hasOnlyChanged(before, after, paths)) return;
  throw new Failure('INTERNAL', 'editTooWide', {});
}
