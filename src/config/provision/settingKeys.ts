import { duplicateKeys, formatPath, isJsonObject, type JsonObject } from '../json/strictJson.ts';
import { nearestKey } from './nearestKey.ts';
import type { SettingProblem } from './settingProblem.ts';

const MAX_WARNINGS = 20;
const READABLE_KEY = /^[\w.-]{1,40}$/;

/** A key for a message. A key that is unreadable or contains a secret is described by its length instead. */
function keyName(key: string, secrets: readonly string[]): string {
  const isShown = READABLE_KEY.test(key) && !secrets.some((secret) => key.includes(secret));
  return isShown ? key : `(a key of ${key.length} characters)`;
}

/**
 * A warning for each unknown key, with the nearest known key, so that a typing error is noticed.
 * @param known every accepted path, `section.key` or `key`
 * @param secrets texts that a warning must not contain
 */
export function unknownKeyWarnings(root: JsonObject, known: readonly string[], secrets: readonly string[]): string[] {
  const sections = new Set(known.filter((path) => path.includes('.')).map((path) => path.slice(0, path.indexOf('.'))));
  const unknown = Object.entries(root).flatMap(([key, value]): [string, string][] => {
    if (!sections.has(key)) return known.includes(key) ? [] : [['', key]];
    if (!isJsonObject(value)) return [];
    return Object.keys(value)
      .filter((inner) => !known.includes(`${key}.${inner}`))
      .map((inner): [string, string] => [`${key}.`, inner]);
  });
  const warnings = unknown.slice(0, MAX_WARNINGS).map(([section, key]) => {
    const nearest = nearestKey(key, [...known, ...sections]);
    const suggestion = nearest === undefined ? '' : ` (the nearest known key is ${nearest})`;
    return `unknown key ${section}${keyName(key, secrets)}${suggestion}`;
  });
  if (unknown.length > MAX_WARNINGS) warnings.push(`${unknown.length - MAX_WARNINGS} more unknown keys`);
  return warnings;
}

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
