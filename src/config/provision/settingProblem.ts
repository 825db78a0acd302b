import { isJsonObject, type JsonObject, typeName } from '../json/strictJson.ts';
import type { Setting } from './provisionSettings.ts';

/** One thing that is wrong in provision.json. */
export interface SettingProblem {
  /** JSON path in the spelling that the file uses, e.g. `provisioning.port`. */
  readonly path: string;
  /** A description; see `describe` for what it may show. */
  readonly found: string;
  readonly expected: string;
}

/**
 * Describes a value of provision.json for a message. Values get into wrong places by swapped lines, so the rule does
 * not trust the place: a text is never shown, only its length; true and false and numbers of at most six characters
 * (no key or secret of ThingsBoard looks like that) are shown, except where a key or secret belongs.
 */
function describe(value: unknown, setting: Setting<unknown>): string {
  if (typeof value === 'string') {
    const text = value === '' ? 'an empty text' : `a text of ${value.length} characters`;
    return setting.describeText?.(value) ?? text;
  }
  if (setting.secret !== undefined || (typeof value !== 'number' && typeof value !== 'boolean')) return typeName(value);
  const shown = String(value);
  return shown.length <= 6 ? shown : typeName(value);
}

/** The value at a JSON path of `section.key` or `key`; undefined when it is absent (JSON itself has no undefined). */
export function valueAt(root: JsonObject, path: string): unknown {
  let value: unknown = root;
  for (const key of path.split('.')) {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/**
 * The value of one setting under whichever spelling; undefined when it is absent or wrong. Every wrong spelling is
 * reported, and a second spelling with another value.
 * @param problems grows by what was found
 */
export function takeSetting<T>(root: JsonObject, setting: Setting<T>, problems: SettingProblem[]): T | undefined {
  let taken: { readonly path: string; readonly value: T } | undefined;
  for (const path of setting.spellings) {
    const value = valueAt(root, path);
    if (value === undefined) continue;
    const parsed = setting.schema.safeParse(value);
    if (!parsed.success) {
      problems.push({ path, found: describe(value, setting), expected: setting.expected });
    } else if (taken !== undefined && taken.value !== parsed.data) {
      problems.push({ path, found: `another value than in ${taken.path}`, expected: 'one spelling, or equal values' });
    } else {
      taken ??= { path, value: parsed.data };
    }
  }
  return taken?.value;
}

/** As `takeSetting`, and an absent setting is a problem too, named in the form (nested or flat) that the file uses. */
export function requireSetting<T>(root: JsonObject, setting: Setting<T>, problems: SettingProblem[]): T | undefined {
  const isPresent = setting.spellings.some((path) => valueAt(root, path) !== undefined);
  if (isPresent) return takeSetting(root, setting, problems);
  const isFlat =
    !Object.hasOwn(root, 'provisioning') && Object.keys(root).some((key) => /^(server|provision)_/.test(key));
  const [path] = setting.spellings.filter((spelling) => !isFlat || !spelling.includes('.'));
  problems.push({ path: String(path), found: 'nothing', expected: setting.expected });
  return undefined;
}
