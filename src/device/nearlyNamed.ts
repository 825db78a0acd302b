// A boot without work loads this file, so it imports nothing (test/budget).

export const TRIGGER = 'provision.txt';
export const PROVISION_JSON = 'provision.json';

/** Longest look into a folder, in entries: a device folder has a few dozen. */
export const MAX_ENTRIES = 2000;
/** More names would hide the first ones. */
export const MAX_NAMES = 3;

/** The name as a person means it: without case, copies' numbers, leftovers of editors, second endings and signs. */
const plain = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[~#\s]+$|\.(bak|old|orig|save|sw[op]|tmp|part)$/g, '')
    .replace(/(\.(txt|json))(\.(txt|text|json|rtf|docx?|md|html?))+$/, '$1')
    .replace(/copy( of)?|(?<=provision)ing|[^a-z]/g, '');

/** Whether one letter is wrong, missing or too many, or two neighbours are exchanged. */
function isOneSlip(name: string, wanted: string): boolean {
  let [from, to, end] = [0, name.length, wanted.length];
  while (from < to && from < end && name[from] === wanted[from]) from += 1;
  while (from < to && from < end && name[to - 1] === wanted[end - 1]) [to, end] = [to - 1, end - 1];
  const [here, there] = [name.slice(from, to), wanted.slice(from, end)];
  return here.length < 2 ? there.length < 2 : here.length === 2 && here === there.slice(1) + there[0];
}

/**
 * Whether a name in a folder is most likely meant as another one, e.g. `Provision.TXT` or `provision.txt.txt` as
 * `provision.txt`. The wanted name itself is not.
 * @param wanted a name of lower-case letters with one ending
 */
export function isNearlyNamed(name: string, wanted: string): boolean {
  if (name === wanted || name.length > 64) return false;
  const meant = plain(name);
  return isOneSlip(meant, plain(wanted)) || meant === wanted.replace(/\..*/, '');
}

/** The first of the names that are most likely meant as the wanted one, in quotes: a space at an end is then visible. */
export const nearNames = (names: readonly string[], wanted: string): readonly string[] =>
  names
    .filter((name) => isNearlyNamed(name, wanted))
    .sort()
    .slice(0, MAX_NAMES)
    .map((name) => JSON.stringify(name));

/** What may be meant as provision.txt, or as a missing provision.json, in a folder of these names. */
export const meantIn = (names: readonly string[]): readonly string[] => [
  ...nearNames(names, TRIGGER),
  ...(names.includes(PROVISION_JSON) ? [] : nearNames(names, PROVISION_JSON)),
];

/** The message of a start without work. @param folder absolute path */
export const nothingMessage = (folder: string, meant: readonly string[]): string =>
  `No ${TRIGGER} in ${folder}: nothing to do${meant.length === 0 ? '' : `. Perhaps meant: ${meant.join(', ')}`}`;
