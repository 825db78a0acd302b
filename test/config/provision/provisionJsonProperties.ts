import fc from 'fast-check';
import { expect } from 'vitest';
import { lastPart } from '../../../src/config/provision/keyWords.ts';
import { parseProvisionJson } from '../../../src/config/provision/provisionJson.ts';
import { SETTINGS } from '../../../src/config/provision/provisionSettings.ts';
import { UNACCEPTED_KEYS } from '../../../src/config/provision/unacceptedKeys.ts';
import { Failure } from '../../../src/failures/failure.ts';
import { type Property, property } from '../../support/property.ts';
import { everyWordOf } from '../scratch.ts';
import { at, STYLES } from './provisionJsonKeys.ts';

/** Everything that the agent could show after reading these bytes. Throws an error that is not a Failure. */
function shown(bytes: Uint8Array): string {
  try {
    const { settings, warnings, notes } = parseProvisionJson(bytes);
    const { deviceKey, deviceSecret } = settings;
    return [...warnings, ...notes, JSON.stringify({ deviceKey, deviceSecret }), String(deviceKey)].join('\n');
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'PROVISION_JSON_INVALID') throw error;
    return everyWordOf(error);
  }
}

// Letters that occur in no message, so that a part of the secret proves a leak.
const SECRET = 'ZQJX7Q9ZXJ';
const secretText = fc.constantFrom(
  SECRET,
  `${SECRET}${SECRET}`,
  ` ${SECRET}`,
  `${SECRET}:1883`,
  `mqtt://${SECRET}`,
  SECRET.repeat(40),
);
const wrongPlace = [
  secretText,
  fc.jsonValue({ maxDepth: 2 }),
  fc.array(secretText, { maxLength: 3 }),
  fc.record({ deep: secretText }),
];
const paths = [
  ...Object.values(SETTINGS).flatMap(({ spellings }) => spellings),
  ...['provisioning', 'device', 'provisioning.hosts', 'x', 'provisioning.secret', 'device.token', 'useTls'],
];

/** A file with values at random places. The secret is the value of a key setting, so the agent knows it as a secret. */
const fileOf = (places: readonly string[], values: fc.Arbitrary<unknown>) =>
  fc.array(fc.tuple(fc.constantFrom(...places), values), { maxLength: 12 }).map((placed) => {
    const root: Record<string, unknown> = {};
    const sections: Record<string, Record<string, unknown>> = {};
    for (const [path, value] of placed) {
      const [first = '', second] = path.split('.');
      if (second === undefined) root[first] = value;
      else sections[first] = { ...sections[first], [second]: value };
    }
    return { ...root, ...sections, provision_device_key: SECRET };
  });
const fileWithSecretKeys = fileOf(
  [...paths, `provisioning.${SECRET}`, `device.${SECRET}`, SECRET],
  fc.oneof(...wrongPlace, fc.constant({ [SECRET]: 1 })),
);
// In a damaged file the agent may not recognise the secret, so here it occurs only in values.
const fileWithSecretValues = fileOf(paths, fc.oneof(...wrongPlace));

const mostlyJson = fc.oneof(
  fc.json().map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }),
  fc.string().map((text) => Buffer.from(text)),
);
const damaged = fc
  .tuple(fileWithSecretValues, fc.nat(), fc.constantFrom('', '"', '{', '}', '[', ']', ',', '\n', '/*', '//', '\\', '1'))
  .map(([content, place, insert]) => {
    const text = JSON.stringify(content, null, 1);
    const at = place % text.length;
    return text.slice(0, at) + insert + text.slice(at + 1);
  });

/** A key that means a setting, in a section and a style, and the path of its problem if it is not accepted there. */
const meaningfulKey = fc
  .tuple(
    fc.constantFrom(
      ...Object.values(SETTINGS).flatMap(({ spellings, synonyms = [] }) => [...spellings, ...synonyms].map(lastPart)),
      ...UNACCEPTED_KEYS.flatMap(({ examples }) => examples),
    ),
    fc.constantFrom(...STYLES),
    fc.constantFrom('', 'provisioning.', 'device.'),
  )
  .map(([word, style, section]) => section + style(word));

/** Properties of parseProvisionJson for any bytes. */
export const provisionJsonProperties: readonly Property[] = [
  property('provision.json: nothing but its own Failure is thrown', 500, mostlyJson, (bytes) => {
    expect(shown(bytes)).toBeTypeOf('string');
  }),
  property('provision.json: no key with a meaning is ignored', 1000, meaningfulKey, (path) => {
    const content = at(path, [SECRET]);
    const place = path.split('.').map((key) => `(${key}|\\(a key of .*\\))`);
    const words = shown(Buffer.from(JSON.stringify(content)));
    // No setting is a list: a key with a meaning is an error.
    expect(words).toMatch(
      new RegExp(`^- ${place.join('\\.')}: found (a list, expected|a key that is not accepted)`, 'm'),
    );
    expect(words).not.toContain('ZQJX');
  }),
  property('provision.json: no secret of a valid JSON text is shown', 1000, fileWithSecretKeys, (content) => {
    expect(shown(Buffer.from(JSON.stringify(content)))).not.toContain('ZQJX');
  }),
  property(
    'provision.json: a damaged JSON text is reported with its place and without the secret',
    1000,
    damaged,
    (text) => {
      const words = shown(Buffer.from(text));
      if (words.includes('not valid JSON')) expect(words).toMatch(/not valid JSON: .+ at line \d+, column \d+$/m);
      expect(words).not.toContain('ZQJX');
    },
  ),
];
