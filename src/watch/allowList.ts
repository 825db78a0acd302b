type Plain = string | number | boolean | null | undefined;
type KeysOf<T> = T extends unknown ? keyof T : never;
type ValueAt<T, Key> = T extends unknown ? (Key extends keyof T ? T[Key] : never) : never;
type AllowedObject<T> = { readonly [Key in KeysOf<T>]: AllowListOf<ValueAt<T, Key>> };

/**
 * An allow-list for a type. It must name every field, so that the compiler reports a field added later. `true` stands
 * for a plain value, a list of one item for an array, a record for an object.
 */
export type AllowListOf<T> = [T] extends [Plain]
  ? true
  : [Exclude<T, Plain>] extends [readonly (infer Item)[]]
    ? readonly [AllowListOf<Item>]
    : AllowedObject<Exclude<T, Plain>>;

/** Any allow-list, at run time. */
export type AllowList = true | readonly [AllowList] | { readonly [key: string]: AllowList };

/** Replaces a value that no list allows. */
export const WITHHELD = '[withheld]';
const MAX_TEXT = 4000;
const MAX_ITEMS = 100;

const isList = (list: AllowList): list is readonly [AllowList] => Array.isArray(list);

/** Copies the fields of a value that the list names, and no other field. */
export function onlyAllowed(list: AllowList, value: unknown): unknown {
  if (value === null || value === undefined) return value;
  if (list === true) return plain(value);
  if (typeof value !== 'object') return WITHHELD;
  if (isList(list)) {
    const [item] = list;
    return Array.isArray(value) ? value.slice(0, MAX_ITEMS).map((one: unknown) => onlyAllowed(item, one)) : WITHHELD;
  }
  const entries = Object.entries(list)
    .map(([key, allowed]): [string, unknown] => [key, onlyAllowed(allowed, Reflect.get(value, key))])
    .filter(([, allowed]) => allowed !== undefined);
  return Object.fromEntries(entries);
}

function plain(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  return typeof value === 'string' ? value.slice(0, MAX_TEXT) : WITHHELD;
}
