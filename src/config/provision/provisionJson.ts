import { createHash } from 'node:crypto';
import { Failure } from '../../failures/failure.ts';
import { fileFailure } from '../../failures/fileFailure.ts';
import { readLimited } from '../../files/readLimited.ts';
import { Secret } from '../../secret.ts';
import { isJsonObject, type JsonObject, readJsonObject, typeName } from '../json/strictJson.ts';
import { type ExternalSettings, type GivenText, type GivenTexts, givenTexts } from './externalSettings.ts';
import { KNOWN_PATHS, type ProvisionSettings, SECTIONS, SETTINGS } from './provisionSettings.ts';
import { duplicateProblems, unknownKeyWarnings } from './settingKeys.ts';
import { requireSetting, type SettingProblem, takeSetting, valueAt } from './settingProblem.ts';

export { readCaFile } from '../authorities/caFile.ts';
export type { ProvisionSettings } from './provisionSettings.ts';
export type { SettingProblem } from './settingProblem.ts';

export const PROVISION_JSON = 'provision.json';
export const MAX_PROVISION_BYTES = 64 * 1024;
const MAX_DEPTH = 32;
const MAX_PROBLEMS = 100;

/** Settings and what is odd about the file without being wrong. */
export interface ParsedProvisionJson {
  readonly settings: ProvisionSettings;
  readonly warnings: readonly string[];
}

/** What is needed to know where a run would go, but not to go there: key and secret may be missing. */
export interface PublicSettings {
  readonly settings: Omit<ProvisionSettings, 'deviceKey' | 'deviceSecret'>;
  /** As `settingsDigest`; undefined: there is no key here. */
  readonly digest: string | undefined;
}

const NOTHING_GIVEN: GivenTexts = { problems: [] };

/** A section of a wrong type hides every setting in it, so it is a problem of its own. */
function sectionProblems(root: JsonObject): SettingProblem[] {
  return SECTIONS.flatMap((path) => {
    const value = valueAt(root, path);
    if (value === undefined || isJsonObject(value)) return [];
    return [{ path, found: typeName(value), expected: 'an object' }];
  });
}

/** The texts that stand where a key or secret belongs: nothing that contains one is shown. */
function secretsIn(root: JsonObject, { deviceKey, deviceSecret }: GivenTexts): readonly string[] {
  const inFile = [SETTINGS.deviceKey, SETTINGS.deviceSecret]
    .flatMap(({ spellings }) => spellings)
    .map((path) => valueAt(root, path))
    .filter((value) => typeof value === 'string')
    .filter((value) => value !== '');
  const given = [deviceKey, deviceSecret].flatMap((one) => (one === undefined ? [] : [one.text]));
  return [...inFile, ...given];
}

type SecretSetting = typeof SETTINGS.deviceKey;

/** What the environment gives goes over the file; what the file says must be right all the same. */
function takeSecret(
  root: JsonObject,
  setting: SecretSetting,
  given: GivenText | undefined,
  needed: boolean,
  problems: SettingProblem[],
): string | undefined {
  const isGiven = given !== undefined || !needed;
  const inFile = isGiven ? takeSetting(root, setting, problems) : requireSetting(root, setting, problems);
  return given?.text ?? inFile;
}

function overruled(root: JsonObject, { deviceKey, deviceSecret }: GivenTexts): string[] {
  const pairs = [[SETTINGS.deviceKey, deviceKey] as const, [SETTINGS.deviceSecret, deviceSecret] as const];
  return pairs.flatMap(([setting, given]) => {
    const other = setting.spellings.find((path) => {
      const value = valueAt(root, path);
      return given !== undefined && value !== undefined && value !== given.text;
    });
    return given === undefined || other === undefined ? [] : [`${other} is not used, since ${given.from} is given`];
  });
}

function takeName(root: JsonObject, problems: SettingProblem[]): ProvisionSettings['name'] {
  const name = takeSetting(root, SETTINGS.name, problems);
  const source = takeSetting(root, SETTINGS.nameSource, problems) ?? 'random';
  const prefix = takeSetting(root, SETTINGS.namePrefix, problems) ?? 'thermal-camera';
  return name === undefined ? { source, prefix } : { source: 'fixed', name };
}

/** Port and TLS decide each other's default: 8883 is the registered port of MQTT over TLS. */
function takeServer(root: JsonObject, problems: SettingProblem[]): { port: number; useSsl: boolean } {
  const givenPort = takeSetting(root, SETTINGS.port, problems);
  const useSsl = takeSetting(root, SETTINGS.useSsl, problems) ?? givenPort === 8883;
  return { port: givenPort ?? (useSsl ? 8883 : 1883), useSsl };
}

/** What may be known without a key; undefined when something is wrong, which then stands in `problems`. */
function takePublicSettings(root: JsonObject, problems: SettingProblem[]): PublicSettings['settings'] | undefined {
  const host = requireSetting(root, SETTINGS.host, problems);
  const server = takeServer(root, problems);
  const caFile = takeSetting(root, SETTINGS.caFile, problems);
  const timeoutSeconds = takeSetting(root, SETTINGS.timeoutSeconds, problems) ?? 30;
  const maxRetries = takeSetting(root, SETTINGS.maxRetries, problems) ?? 3;
  const scrub = takeSetting(root, SETTINGS.scrub, problems) ?? false;
  const name = takeName(root, problems);
  const deviceType = takeSetting(root, SETTINGS.type, problems);
  const deviceProfile = takeSetting(root, SETTINGS.profile, problems);
  takeSetting(root, SETTINGS.credentials, problems);
  if (host === undefined) return undefined;
  return {
    host,
    ...server,
    caFile,
    timeoutSeconds,
    maxRetries,
    name,
    ...(deviceType === undefined ? {} : { deviceType }),
    ...(deviceProfile === undefined ? {} : { deviceProfile }),
    ...(scrub ? { scrub } : {}),
  };
}

function oddities(root: JsonObject, settings: ProvisionSettings): string[] {
  const warnings: string[] = [];
  if (settings.caFile !== undefined && !settings.useSsl) {
    warnings.push('ca_file is not used, since use_ssl is false');
  }
  if (settings.name.source === 'fixed' && valueAt(root, 'device.name_source') !== undefined) {
    warnings.push('device.name_source is not used, since device.name is given');
  }
  // ThingsBoard compares both exactly, untrimmed (docs/thingsboard.md, section 2); such a space is mostly a pasted one.
  for (const [what, secret] of [
    ['device key', settings.deviceKey],
    ['device secret', settings.deviceSecret],
  ] as const) {
    const value = secret.reveal();
    if (value !== value.trim()) warnings.push(`the ${what} begins or ends with white space, which the server counts`);
  }
  return warnings;
}

function invalid(path: string, problems: readonly SettingProblem[], warnings: readonly string[]): Failure {
  const shown = problems.slice(0, MAX_PROBLEMS).map(lineOf);
  if (problems.length > MAX_PROBLEMS) shown.push(`and ${problems.length - MAX_PROBLEMS} more`);
  // An unknown key next to a missing one is mostly a slip of it.
  const notes = warnings.map((warning) => `note: ${warning}`);
  const facts = { path, problems: [...shown, ...notes] };
  if (problems.length === 1) return new Failure('PROVISION_JSON_INVALID', 'oneProblem', facts);
  return new Failure('PROVISION_JSON_INVALID', 'problems', { ...facts, count: problems.length });
}

interface Taken {
  readonly settings: PublicSettings['settings'];
  readonly key: string | undefined;
  readonly secret: string | undefined;
  readonly warnings: readonly string[];
}

/** @param needed whether key and secret must be given somewhere */
function take(
  bytes: Uint8Array,
  path: string,
  given: GivenTexts,
  needed: boolean,
): Taken & { readonly root: JsonObject } {
  const json = readJsonObject(bytes, MAX_DEPTH);
  if (!json.ok) {
    const facts = { path, problem: json.problem, problems: given.problems.map(lineOf) };
    throw new Failure('PROVISION_JSON_INVALID', 'notJson', facts);
  }
  const root = json.value;
  const secrets = secretsIn(root, given);
  const unknown = unknownKeyWarnings(root, KNOWN_PATHS, secrets);
  const problems = [...duplicateProblems(json.text, secrets), ...sectionProblems(root)];
  const isGiven = (problem: SettingProblem, variable: string): boolean => problem.path.startsWith(variable);
  // What was given and is wrong is one problem; that the file does not have it either is no second one.
  const keyNeeded = needed && !given.problems.some((problem) => isGiven(problem, 'THERMAL_DEVICE_KEY'));
  const secretNeeded = needed && !given.problems.some((problem) => isGiven(problem, 'THERMAL_DEVICE_SECRET'));
  const key = takeSecret(root, SETTINGS.deviceKey, given.deviceKey, keyNeeded, problems);
  const secret = takeSecret(root, SETTINGS.deviceSecret, given.deviceSecret, secretNeeded, problems);
  const settings = takePublicSettings(root, problems);
  problems.push(...given.problems);
  if (settings === undefined || problems.length > 0) throw invalid(path, problems, unknown);
  return { root, settings, key, secret, warnings: [...unknown, ...overruled(root, given)] };
}

const lineOf = ({ path, found, expected }: SettingProblem): string => `${path}: found ${found}, expected ${expected}`;

/**
 * Reads the content of provision.json (docs: “Files on the device”). Nested and flat form and the camel-case aliases
 * may be mixed; two spellings of one setting must agree. An IPv6 address stands without brackets.
 * @param path how messages name the file
 * @param given external key and secret, which go over those in the file
 * @throws Failure PROVISION_JSON_INVALID with every problem at once, one line each: `- path: found X, expected Y`
 */
export function parseProvisionJson(
  bytes: Uint8Array,
  path: string = PROVISION_JSON,
  given: GivenTexts = NOTHING_GIVEN,
): ParsedProvisionJson {
  const { root, settings, key, secret, warnings } = take(bytes, path, given, true);
  if (key === undefined || secret === undefined) throw new Error('a required setting is missing without a problem');
  const whole = { deviceKey: new Secret(key), deviceSecret: new Secret(secret), ...settings };
  return { settings: whole, warnings: [...warnings, ...oddities(root, whole)] };
}

/** The bytes of the provision.json that counts, and which one it is. */
interface ReadFile {
  readonly bytes: Uint8Array;
  readonly path: string;
}

async function readFirst(path: string, externalSettings: ExternalSettings, given: GivenTexts): Promise<ReadFile> {
  let at = path;
  let read = await readLimited(at, MAX_PROVISION_BYTES);
  if (!read.ok && read.problem === 'absent' && externalSettings.provisionJson !== undefined) {
    at = externalSettings.provisionJson;
    read = await readLimited(at, MAX_PROVISION_BYTES);
  }
  if (read.ok) return { bytes: read.bytes, path: at };
  switch (read.problem) {
    case 'absent': {
      const problems = given.problems.map(lineOf);
      if (at === path) throw new Failure('PROVISION_JSON_MISSING', 'absent', { path, problems });
      throw new Failure('PROVISION_JSON_MISSING', 'absentTwice', { path, other: at, problems });
    }
    case 'too-large':
      throw new Failure('PROVISION_JSON_INVALID', 'tooLarge', { path: at, limit: MAX_PROVISION_BYTES });
    case 'not-a-file':
      throw new Failure('PROVISION_JSON_UNREADABLE', 'notAFile', { path: at });
    case 'not-permitted':
      throw new Failure('PROVISION_JSON_UNREADABLE', 'notPermitted', { path: at }, read.cause);
    default:
      throw fileFailure(read.cause, `read ${at}`);
  }
}

/**
 * Reads provision.json. The CA file that it names is read by `readCaFile`.
 * @param path the file itself, e.g. `<device folder>/provision.json`
 * @param externalSettings key and secret from outside provision.json; default: none
 * @returns also which file it was
 * @throws Failure PROVISION_JSON_MISSING, PROVISION_JSON_UNREADABLE, PROVISION_JSON_INVALID, DISK_ERROR
 */
export async function readProvisionJson(
  path: string,
  externalSettings: ExternalSettings = {},
): Promise<ParsedProvisionJson & { readonly path: string }> {
  const given = await givenTexts(externalSettings);
  const read = await readFirst(path, externalSettings, given);
  return { ...parseProvisionJson(read.bytes, read.path, given), path: read.path };
}

/**
 * As `readProvisionJson`, for those who do not speak to the server: key and secret may be missing, because another
 * process is given them, or because they were removed after a success.
 * @throws Failure as readProvisionJson
 */
export async function readPublicSettings(
  path: string,
  externalSettings: ExternalSettings = {},
): Promise<PublicSettings> {
  const given = await givenTexts(externalSettings);
  const read = await readFirst(path, externalSettings, given);
  const { settings, key } = take(read.bytes, read.path, given, false);
  const digest = key === undefined ? undefined : settingsDigest({ ...settings, deviceKey: new Secret(key) });
  return { settings, digest };
}

/**
 * Tells whether an interrupted run may go on with these settings: 16 hexadecimal digits of the SHA-256 over host
 * (without case), port, key and the name settings. Secret and limits may change in the middle of a run.
 */
export function settingsDigest(settings: Omit<ProvisionSettings, 'deviceSecret'>): string {
  const { host, port, deviceKey, name } = settings;
  const naming = name.source === 'fixed' ? ['fixed', name.name] : [name.source, name.prefix];
  const identity = JSON.stringify([host.toLowerCase(), port, deviceKey.reveal(), naming]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 16);
}
