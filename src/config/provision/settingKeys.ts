import { duplicateKeys, formatPath, isJsonObject, type JsonObject, typeName } from '../json/strictJson.ts';
import { documentedPath, type KeyMeaning, meaningInside, meaningOf, type Place, sectionNamed } from './keyMeaning.ts';
import type { Setting } from './provisionSettings.ts';

const MAX_WARNINGS = 20;
const READABLE_KEY = /^[\w.-]{1,40}$/;

/** One error in provision.json. */
export interface SettingProblem {
  /** JSON path in the file's spelling, e.g. `provisioning.port`. */
  readonly path: string;
  /** Description of the value. It never shows a string of the file. */
  readonly found: string;
  readonly expected: string;
}

/** A value of the file that is for a setting. */
export interface SettingValue {
  /** The keys as the file spells them. */
  readonly keys: readonly string[];
  /** The same for messages, e.g. `provisioning.useTls`. */
  readonly path: string;
  readonly value: unknown;
}

/** The keys of provision.json, sorted by what they mean. */
export interface SettingKeys {
  /** The values of each setting in the file: documented spellings first. */
  readonly values: ReadonlyMap<Setting<unknown>, readonly SettingValue[]>;
  /** Keys that ask for something the agent would not do, and sections of a wrong type. */
  readonly problems: readonly SettingProblem[];
  /** Keys that mean nothing to the agent. */
  readonly unknown: readonly string[];
  /** What the keys in an undocumented spelling were taken for. */
  readonly notes: readonly string[];
  /** Texts that no message may contain. */
  readonly secrets: readonly string[];
  /** The keys of settings at the top, without a section: the file is in a flat form. */
  readonly flatKeys: readonly string[];
}

/** A key for a message. A key that is unreadable or contains a secret is described by its length instead. */
function keyName(key: string, secrets: readonly string[]): string {
  const isShown = READABLE_KEY.test(key) && !secrets.some((secret) => key.includes(secret));
  return isShown ? key : `(a key of ${key.length} characters)`;
}

interface FoundKey {
  readonly keys: readonly string[];
  readonly value: unknown;
  readonly meaning: KeyMeaning;
}

/** The keys in an object that is not a section, which mean something in spite of that. */
function keysInside(keys: readonly string[], value: unknown, named: readonly string[]): readonly FoundKey[] {
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = [...keys, key];
    const expected = meaningInside([...named, key]);
    if (expected === undefined) return keysInside(path, inner, [...named, key]);
    return [{ keys: path, value: inner, meaning: { kind: 'unaccepted' as const, expected, isSecret: false } }];
  });
}

function foundKeys(place: Place, parent: readonly string[], object: JsonObject): readonly FoundKey[] {
  return Object.entries(object).flatMap(([key, value]) => {
    const keys = [...parent, key];
    const section = place === '' ? sectionNamed(key) : undefined;
    if (section !== undefined) return isJsonObject(value) ? foundKeys(section, keys, value) : [];
    const meaning = meaningOf(place, key);
    const inside = meaning.kind === 'unknown' ? keysInside(keys, value, [key]) : [];
    return [{ keys, value, meaning }, ...inside];
  });
}

/** A section of a wrong type hides all its settings, so it is a problem. */
function sectionProblems(root: JsonObject, secrets: readonly string[]): SettingProblem[] {
  return Object.entries(root)
    .filter(([key, value]) => sectionNamed(key) !== undefined && !isJsonObject(value))
    .map(([key, value]) => ({ path: keyName(key, secrets), found: typeName(value), expected: 'an object' }));
}

/** Key and secret in all spellings, and the values of keys that resemble them. */
const secretValues = (found: readonly FoundKey[]): readonly string[] =>
  found
    .filter(({ meaning }) =>
      meaning.kind === 'setting' ? meaning.setting.secret : 'isSecret' in meaning && meaning.isSecret,
    )
    .map(({ value }) => value)
    .filter((value) => typeof value === 'string')
    .filter((value) => value !== '');

/** Documented spellings before others, in the documented order. */
const rank = ({ spellings }: Setting<unknown>, { keys }: SettingValue): number => {
  const at = spellings.indexOf(keys.join('.'));
  return at === -1 ? spellings.length : at;
};

/** @param given texts from outside the file that no message may contain */
export function readSettingKeys(root: JsonObject, given: readonly string[]): SettingKeys {
  const found = foundKeys('', [], root);
  const secrets = [...secretValues(found), ...given];
  const values = new Map<Setting<unknown>, readonly SettingValue[]>();
  const problems = sectionProblems(root, secrets);
  const unknown: string[] = [];
  const notes: string[] = [];
  for (const { keys, value, meaning } of found) {
    const path = keys.map((key) => keyName(key, secrets)).join('.');
    if (meaning.kind === 'unknown') unknown.push(`unknown key ${path}`);
    else if (meaning.kind === 'unaccepted') {
      problems.push({ path, found: 'a key that is not accepted', expected: meaning.expected });
    } else {
      const { setting } = meaning;
      const inOrder = [...(values.get(setting) ?? []), { keys, path, value }];
      values.set(
        setting,
        inOrder.toSorted((one, other) => rank(setting, one) - rank(setting, other)),
      );
      const isDocumented = meaning.documented && (keys.length === 1 || sectionNamed(String(keys[0])) === keys[0]);
      if (!isDocumented) notes.push(`${path} is taken for ${documentedPath(setting)}`);
    }
  }
  const hasSection = Object.keys(root).some((key) => sectionNamed(key) === 'provisioning');
  const atTop = found.filter(({ keys, meaning }) => keys.length === 1 && meaning.kind === 'setting');
  const flatKeys = hasSection ? [] : atTop.map(({ keys: [key] }) => String(key));
  return { values, problems, unknown: limited(unknown, 'unknown keys'), notes, secrets, flatKeys };
}

const limited = (lines: readonly string[], what: string): readonly string[] =>
  lines.length <= MAX_WARNINGS
    ? lines
    : [...lines.slice(0, MAX_WARNINGS), `${lines.length - MAX_WARNINGS} more ${what}`];

/**
 * A problem for each key that occurs more than once in one object, because readers differ in which value they take. A
 * key below the level of the settings is not named; only its place is shown.
 */
export function duplicateProblems(text: string, secrets: readonly string[]): SettingProblem[] {
  return duplicateKeys(text).map((path) => {
    const named = path.slice(0, 2).map((key) => (typeof key === 'number' ? key : keyName(key, secrets)));
    const shown = formatPath(named) + (path.length > 2 ? '.…' : '');
    return { path: shown, found: 'the same key more than once', expected: 'each key once' };
  });
}
