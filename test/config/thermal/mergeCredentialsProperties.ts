import fc from 'fast-check';
import { expect } from 'vitest';
import { carriesCredentials } from '../../../src/config/thermal/credentialsSections.ts';
import { mergeCredentials } from '../../../src/config/thermal/mergeCredentials.ts';
import { Failure } from '../../../src/failures/failure.ts';
import { type Property, property } from '../../support/property.ts';
import { credentials } from '../credentials.ts';

const blank = fc.constantFrom('', '', '', ' ', '\n', '\r\n', '\t', '\n    ', '\r\n  ');

/** JSON texts that JSON.parse and JSON.stringify would change. */
const scalar = fc.oneof(
  fc.bigInt().map(String),
  fc.constantFrom('0.100000000000000000000000000001', '1E400', '-0', '1.50', '9223372036854775807', 'true', 'null'),
  fc.constantFrom('"\\u00e9"', '"\\/"', '"é"', '"\\ud800"', '"{\\"a\\":1}"', '"a,b:c"', '""'),
  fc.json({ maxDepth: 2 }),
);
const listOf = (value: fc.Arbitrary<string>) =>
  fc
    .tuple(fc.array(fc.tuple(blank, value, blank), { maxLength: 3 }), blank)
    .map(([items, inner]) => (items.length === 0 ? `[${inner}]` : `[${items.map((item) => item.join('')).join(',')}]`));
const value = fc.oneof(scalar, listOf(scalar), listOf(listOf(scalar)));

interface Member {
  readonly before: string;
  readonly key: string;
  readonly rest: string;
  readonly after: string;
}
const member = (key: fc.Arbitrary<string>, content: fc.Arbitrary<string>): fc.Arbitrary<Member> =>
  fc.record({
    before: blank,
    key,
    rest: fc.tuple(blank, blank, content).map(([left, right, text]) => `${left}:${right}${text}`),
    after: blank,
  });
const objectText = (members: readonly Member[], inner: string) =>
  members.length === 0
    ? `{${inner}}`
    : `{${members.map(({ before, key, rest, after }) => `${before}"${key}"${rest}${after}`).join(',')}}`;

const foreign = member(fc.constantFrom('a', 'b', 'é', '\\u0061', 'thingsboard2', 'a/b', ''), value);
const changed = member(
  fc.constantFrom('host', 'port', 'access_token', 'device_id', 'use_ssl', 'run_id', 'backup', 'h\\u006fst'),
  value,
);
const section = fc
  .tuple(fc.array(fc.oneof(foreign, changed), { maxLength: 6 }), blank)
  .map(([members, inner]) => objectText(members, inner));
const sectionMember = member(fc.constantFrom('thingsboard', 'telemetry', 'provisioning', 'logging'), section);
const root = fc
  .tuple(fc.array(fc.oneof(foreign, sectionMember), { maxLength: 8 }), blank, blank, fc.boolean())
  .map(([members, inner, after, bom]) => (bom ? '\uFEFF' : '') + objectText(members, inner) + after);

const TOKEN = /\s*(?:"(?:[^"\\]|\\.)*"|[-+.\w]+|[{}[\]:,])/g;
const CHANGED = new Set([
  ...['host', 'port', 'access_token', 'device_id', 'use_ssl'].map((key) => `thingsboard.${key}`),
  ...['provisioned_at', 'provisioned_by', 'run_id', 'backup'].map((key) => `provisioning.${key}`),
]);

/**
 * Every token in order, in its spelling, with the white space before it and the keys above it. The keys and values that
 * provisioning sets are left out, and so are commas and the white space before a closing brace, where properties are
 * added.
 */
function foreignTokens(text: string): string[] {
  const tokens = text.match(TOKEN) ?? [];
  const kept: string[] = [];
  let next = 0;
  const peek = () => (tokens[next] ?? '').trim();
  const take = (path: readonly string[], token: string) => {
    if (!CHANGED.has(path.slice(0, 2).join('.'))) kept.push(`${path.join('.')} ${token}`);
    next++;
  };
  const readValue = (path: readonly string[]): void => {
    const open = peek();
    take(path, tokens[next] ?? '');
    if (open !== '{' && open !== '[') return;
    while (peek() !== '}' && peek() !== ']') {
      if (peek() === ',') next++;
      const inner = open === '{' ? [...path, String(JSON.parse(peek()))] : path;
      if (open === '{') take(inner, tokens[next] ?? '');
      if (open === '{') take(inner, tokens[next] ?? '');
      readValue(inner);
    }
    take(path, peek());
  };
  readValue([]);
  return kept;
}
const namesIn = (text: string) => new Set(Object.keys(JSON.parse(text)));

const anyText = fc.oneof(
  fc.json(),
  fc.string(),
  root.map((text) => text.slice(1)),
);

/** Properties of mergeCredentials for any JSON object. */
export const mergeCredentialsProperties: readonly Property[] = [
  property(
    'thermal_config.json: other keys and values keep spelling and order, and the credentials are set',
    1500,
    root,
    (text) => {
      const merged = mergeCredentials(Buffer.from(text), credentials());
      expect(carriesCredentials(merged, credentials())).toBe(true);
      const bare = text.replace(/^\uFEFF/, '');
      const result = merged.toString().replace(/^\uFEFF/, '');
      expect(merged.toString().startsWith('\uFEFF')).toBe(text.startsWith('\uFEFF'));
      const added = ['thingsboard', 'telemetry', 'provisioning'].filter((name) => !namesIn(bare).has(name));
      const tokens = foreignTokens(result).filter(
        (token) => !added.some((name) => new RegExp(`^${name}[. ]`).test(token)),
      );
      expect(tokens).toEqual(foreignTokens(bare));
    },
  ),
  property('thermal_config.json: merging is idempotent', 500, root, (text) => {
    const once = mergeCredentials(Buffer.from(text), credentials());
    expect(mergeCredentials(once, credentials()).equals(once)).toBe(true);
  }),
  property('thermal_config.json: nothing but a Failure is thrown for any other text', 500, anyText, (text) => {
    try {
      mergeCredentials(Buffer.from(text), credentials());
    } catch (error) {
      expect(error).toBeInstanceOf(Failure);
      expect(error).toHaveProperty('code', 'CONFIG_UNREADABLE');
    }
  }),
];
