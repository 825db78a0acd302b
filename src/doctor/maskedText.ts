import { applyEdits, type Edit, type Node } from 'jsonc-parser';
import { childrenOf, propertiesOf, syntaxTree } from '../config/json/jsonTree.ts';

/** Keys whose values are credentials, in their usual spellings. */
const SECRET_KEY =
  /token|secret|user_?name|passw|pwd|psk|credential|private|(?:device|api|access|shared|auth|encryption)_?key/i;
/** Keys of which one is enough to log in. An access token is a user name, too. */
const USER_KEY = /token|user_?name/i;
const CLIENT_ID_KEY = /client_?id/i;
/** A URL with a login, for example of a proxy. */
const URL_WITH_LOGIN = /:\/\/[^/?#]*@/;
/** Shorter secrets could be part of other texts by chance. */
const MIN_LENGTH_ELSEWHERE = 6;

/** One mask for each secret, so that two texts with equal masks hold equal secrets. */
export interface Masks {
  maskFor(secret: string): string;
}

/** @param known secrets with a given mask */
export function createMasks(known: ReadonlyMap<string, string> = new Map()): Masks {
  const masks = new Map(known);
  return {
    maskFor(secret) {
      const mask = masks.get(secret) ?? `[masked ${masks.size - known.size + 1}]`;
      masks.set(secret, mask);
      return mask;
    },
  };
}

const holdsLogin = (node: Node): boolean => node.type === 'string' && URL_WITH_LOGIN.test(String(node.value));

const isSecret = (node: Node): boolean =>
  (node.type === 'string' && node.value !== '') || (node.type === 'number' && Number.isFinite(node.value));

/** The values at and below keys that name credentials, and URLs with a login. */
function secretNodes(node: Node, below: boolean): Node[] {
  if (holdsLogin(node) || (below && isSecret(node))) return [node];
  const properties = propertiesOf(node);
  const names = properties.map(({ key }) => String(key.value));
  // Without a user name the client id alone is the credential (MQTT_BASIC).
  const hasUser = names.some((name) => USER_KEY.test(name));
  const inside = properties.flatMap(({ value }, index) => {
    const name = names[index] ?? '';
    return secretNodes(value, below || SECRET_KEY.test(name) || (!hasUser && CLIENT_ID_KEY.test(name)));
  });
  const items = node.type === 'array' ? childrenOf(node).flatMap((item) => secretNodes(item, below)) : [];
  return [...inside, ...items];
}

/** Other texts that contain one of the secrets, e.g. a URL with the token. */
function nodesWith(node: Node, secrets: readonly string[]): Node[] {
  if (node.type === 'string') return secrets.some((secret) => String(node.value).includes(secret)) ? [node] : [];
  return childrenOf(node).flatMap((child) => nodesWith(child, secrets));
}

/**
 * A JSON text with its credentials masked. Nothing else changes, so that lines can be compared.
 * @param text valid JSON of limited depth
 */
export function maskedText(text: string, masks: Masks): string {
  const root = syntaxTree(text);
  const direct = secretNodes(root, false);
  const secrets = direct.map((node) => String(node.value)).filter((value) => value.length >= MIN_LENGTH_ELSEWHERE);
  const nodes = new Map([...nodesWith(root, secrets), ...direct].map((node) => [node.offset, node]));
  const edits = [...nodes.values()].map(
    ({ offset, length, value }): Edit => ({ offset, length, content: JSON.stringify(masks.maskFor(String(value))) }),
  );
  return applyEdits(text, edits);
}
