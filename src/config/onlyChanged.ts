import { type Node, parseTree } from 'jsonc-parser';
import { Failure } from '../failure.ts';

type Path = readonly (string | number)[];

const isWithin = (path: Path, prefix: Path): boolean => prefix.every((segment, index) => path[index] === segment);

/**
 * The tokens of a JSON text in order, as they are spelled; without white space and without the properties at the
 * `except` paths. Comparing these loses nothing, unlike comparing parsed numbers.
 */
function spelledTokens(text: string, except: readonly Path[]): string[] {
  const tokens: string[] = [];
  const add = (node: Node) => {
    tokens.push(text.slice(node.offset, node.offset + node.length));
  };
  const visitProperty = ([key, value]: readonly Node[], outer: Path) => {
    if (key === undefined || value === undefined) return;
    const path = [...outer, String(key.value)];
    if (except.some((prefix) => isWithin(path, prefix))) return;
    add(key);
    visit(value, path);
  };
  const visit = (node: Node, path: Path) => {
    if (node.children === undefined) {
      add(node);
      return;
    }
    tokens.push(node.type);
    for (const [index, child] of node.children.entries()) {
      if (node.type === 'array') visit(child, [...path, index]);
      else visitProperty(child.children ?? [], path);
    }
    tokens.push(`end of ${node.type}`);
  };
  const root = parseTree(text);
  if (root !== undefined) visit(root, []);
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

/**
 * Proves that an edited JSON text is JSON and differs from the old one at the given properties only: the last line of
 * defence before the camera's configuration is replaced.
 * @throws Failure INTERNAL
 */
export function requireOnlyChanged(before: string, after: string, paths: readonly Path[]): void {
  const old = spelledTokens(before, paths);
  const now = spelledTokens(after, paths);
  const isSame = old.length === now.length && old.every((token, index) => token === now[index]);
  if (isSame && isStrictJson(after)) return;
  throw new Failure('INTERNAL', 'Editing thermal_config.json would have changed more than the credentials');
}
