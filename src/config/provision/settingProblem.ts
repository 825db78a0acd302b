import { typeName } from '../json/strictJson.ts';
import { lastPart } from './keyWords.ts';
import type { Setting } from './provisionSettings.ts';
import type { SettingKeys, SettingProblem } from './settingKeys.ts';

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

/**
 * The value of one setting in any of its spellings; undefined when it is absent or wrong. Each wrong value is a
 * problem. A second spelling with a different value is a problem too.
 * @param problems receives the problems
 */
export function takeSetting<T>(keys: SettingKeys, setting: Setting<T>, problems: SettingProblem[]): T | undefined {
  let taken: { readonly path: string; readonly value: T } | undefined;
  for (const { path, value } of keys.values.get(setting) ?? []) {
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

/** The problem of an absent setting. It is named in the file's form: nested, flat, or flat in camel case. */
export function absent({ flatKeys }: SettingKeys, { spellings, expected }: Setting<unknown>): SettingProblem {
  const words = spellings.map(lastPart);
  const form = [/[A-Z]/, /^(server|provision)_/].find((one) => flatKeys.some((key) => one.test(key)));
  const flat = words.find((word) => form?.test(word)) ?? words[0];
  return { path: String(flatKeys.length === 0 ? spellings[0] : flat), found: 'nothing', expected };
}

/** Like `takeSetting`, but an absent setting is a problem too. */
export function requireSetting<T>(keys: SettingKeys, setting: Setting<T>, problems: SettingProblem[]): T | undefined {
  if (keys.values.has(setting)) return takeSetting(keys, setting, problems);
  problems.push(absent(keys, setting));
  return undefined;
}
