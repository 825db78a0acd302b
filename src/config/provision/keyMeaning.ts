import { lastPart, meantWords, plain, wordsOf } from './keyWords.ts';
import { SECTIONS, SETTINGS, type Setting } from './provisionSettings.ts';
import { UNACCEPTED_KEYS } from './unacceptedKeys.ts';

/** Where a key is: in a section, or at the top (''). */
export type Place = '' | (typeof SECTIONS)[number];

/** What a key means. An unknown key that means something is an error, because what follows can't be taken back. */
export type KeyMeaning =
  | { readonly kind: 'setting'; readonly setting: Setting<unknown>; readonly documented: boolean }
  | { readonly kind: 'unaccepted'; readonly expected: string; readonly isSecret: boolean }
  | { readonly kind: 'unknown' };

const UNKNOWN: KeyMeaning = { kind: 'unknown' };
/** `_use_ssl` and `use_ssl_note` are comments: JSON has no others. */
const COMMENT = /^[_#/$@!;]|_(comments?|notes?|description|docs?|help|info|remarks?|example)$/i;

const ALL: readonly Setting<unknown>[] = Object.values(SETTINGS);

/** The path that the documentation uses for a setting. */
export const documentedPath = ({ spellings: [first] }: Setting<unknown>): string => String(first);

const sectionOf = (path: string): Place => SECTIONS.find((section) => path.startsWith(`${section}.`)) ?? '';

/** Where a spelling is accepted: the flat form has the keys of `provisioning` at the top. */
const placesOfSpelling = (path: string): readonly Place[] =>
  sectionOf(path) === 'device' ? ['device'] : ['provisioning', ''];

const placesOfSynonym = ({ spellings }: Setting<unknown>, synonym: string): readonly Place[] =>
  synonym.includes('.') ? [sectionOf(synonym)] : ['', 'provisioning', ...spellings.map(sectionOf)];

/** `section.word` → setting, for each place in which a word is accepted. */
const accepted = new Map<string, Setting<unknown>>();
/** Word → setting, for a key at a place where the setting is not accepted. */
const elsewhere = new Map<string, Setting<unknown>>();
for (const setting of ALL) {
  const { spellings, synonyms = [] } = setting;
  const places = [
    ...spellings.map((path) => [path, placesOfSpelling(path)] as const),
    ...synonyms.map((synonym) => [synonym, placesOfSynonym(setting, synonym)] as const),
  ];
  for (const [path, where] of places) {
    const word = plain(lastPart(path));
    elsewhere.set(word, setting);
    for (const place of where) accepted.set(`${place}.${word}`, setting);
  }
}
/** Settings that matter also inside an object that is not a section. */
const DEEP_SETTINGS: readonly Setting<unknown>[] = [
  SETTINGS.useSsl,
  SETTINGS.caFile,
  SETTINGS.name,
  SETTINGS.namePrefix,
];
/** A typing error resembles one of these. A short synonym resembles too much else: `mqtt` is not `mqtts`. */
const KNOWN_WORDS: readonly string[] = [
  ...ALL.flatMap(({ spellings }) => spellings).map((path) => plain(lastPart(path))),
  ...[...elsewhere.keys()].filter((word) => word.length > 5),
  ...SECTIONS,
];

const unaccepted = (expected: string, isSecret = false): KeyMeaning => ({ kind: 'unaccepted', expected, isSecret });

/** The section that a key at the top names, in any style. */
export const sectionNamed = (key: string): (typeof SECTIONS)[number] | undefined =>
  COMMENT.test(key) ? undefined : SECTIONS.find((section) => section === plain(key));

/** The meaning of a key of provision.json at the top or in a section. The style (snake, camel, kebab, …) is free. */
export function meaningOf(place: Place, key: string): KeyMeaning {
  const setting = accepted.get(`${place}.${plain(key)}`);
  if (/^[a-z-]/i.test(key) && setting !== undefined) {
    const documented = setting.spellings.some(
      (path) => lastPart(path) === key && placesOfSpelling(path).includes(place),
    );
    return { kind: 'setting', setting, documented };
  }
  const words = wordsOf(lastPart(key));
  if (COMMENT.test(key) || COMMENT.test(words)) return UNKNOWN;
  const word = plain(lastPart(key));
  const other = elsewhere.get(word);
  if (other !== undefined) return unaccepted(documentedPath(other), other.secret);
  // `accesstoken` has no borders between its words.
  const refused = UNACCEPTED_KEYS.find(
    ({ pattern, examples }) => pattern.test(words) || examples.some((example) => plain(example) === word),
  );
  if (refused !== undefined) return unaccepted(refused.expected, refused.secret);
  const meant = meantWords(word, KNOWN_WORDS);
  if (meant.length === 0) return UNKNOWN;
  const near = meant.map((one) => elsewhere.get(one) ?? one);
  const names = near.map((one) => (typeof one === 'string' ? `the section ${one}` : documentedPath(one)));
  const isSecret = near.some((one) => typeof one !== 'string' && one.secret);
  return unaccepted([...new Set(names)].join(' or '), isSecret);
}

/**
 * What is expected instead of a key inside an object that is not a section; undefined when the key means nothing that
 * the agent could do wrong. `{"mqtt": {"use_tls": true}}` asks for TLS, `{"site": {"name": "…"}}` for nothing.
 * @param path keys below the section, at least two
 */
export function meaningInside(path: readonly string[]): string | undefined {
  const words = path.map(wordsOf);
  if ([...path, ...words].some((key) => COMMENT.test(key))) return undefined;
  const setting = accepted.get(`.${plain(path.at(-1) ?? '')}`);
  if (setting !== undefined && DEEP_SETTINGS.includes(setting)) return documentedPath(setting);
  return UNACCEPTED_KEYS.find(({ pattern, deep }) => deep === true && pattern.test(words.join('_')))?.expected;
}
