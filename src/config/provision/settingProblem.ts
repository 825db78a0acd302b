import { isJsonObject, type JsonObject, typeName } from '../json/strictJson.ts';
import type { Setting } from './provisionSettings.ts';

/** One error in provision.json. */
export interface SettingProblem {
  /** JSON path in the file's spelling, e.g. `provisioning.port`. */
  readonly path: string;
  /** Description of the value. `describe` decides what it shows. */
  readonly found: string;
  readonly expected: string;
}

/**
 * Describes a value of provision.json for a message. Swapped lines can put a secret at any key, so of a string only the
 * length is shown, at every key. Booleans and numbers of at most six characters are shown, because no ThingsBoard key
 * or secret looks like that. At the keys for key and secret they are not shown either.
 */
function describe(value: unknown, setting: Setting<unknown>): string {
  if (typeof value === 'string') {
    const text = value === '' ? 'an empty string' : `a string of ${value.length} characters`;
    return setting.describeText?.(value) ?? text;
  }
  if (setting.secret !== undefined || (typeof value !== 'number' && typeof value !== 'boolean')) return typeName(value);
  const shown = String(value);
  return shown.length <= 6 ? shown : typeName(value);
}

/** The value at a JSON path of `section.key` or `key`; undefined when it is absent. */
export function valueAt(root: JsonObject, path: string): unknown {
  let value: unknown = root;
  for (const key of path.split('.')) {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/**
 * The value of one setting in any of its spellings; undefined when it is absent or wrong. Each wrong value is a
 * problem. A second spelling with a different value is a problem too.
 * @param problems receives the problems
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
      problems.push({
        path,
        found: `a different value than in ${taken.path}`,
        expected: 'one spelling, or equal values',
      });
    } else {
      taken ??= { path, value: parsed.data };
    }
  }
  return taken?.value;
}

/** Like `takeSetting`, but an absent setting is a problem too. It is named in the file's form, nested or flat. */
export function requireSetting<T>(root: JsonObject, setting: Setting<T>, problems: SettingProblem[]): T | undefined {
  const isPresent = setting.spellings.some((path) => valueAt(root, path) !== undefined);
  if (isPresent) return takeSetting(root, setting, problems);
  const isFlat =
    !Object.hasOwn(root, 'provisioning') && Object.keys(root).some((key) => /^(server|provision)_/.test(key));
  const [path] = setting.spellings.filter((spelling) => !isFlat || !spelling.includes('.'));
  problems.push({ path: String(path), found: 'nothing', expected: setting.expected });
  return undefined;
}
