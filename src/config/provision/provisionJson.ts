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

const PROVISION_JSON = 'provision.json';
export const MAX_PROVISION_BYTES = 64 * 1024;
const MAX_DEPTH = 32;
const MAX_PROBLEMS = 100;

/** The settings, and warnings about the file. A warning does not make it invalid. */
export interface ParsedProvisionJson {
  readonly settings: ProvisionSettings;
  readonly warnings: readonly string[];
}

/** The settings that don't need the key and the secret: they name the server and the device. */
export interface PublicSettings {
  readonly settings: Omit<ProvisionSettings, 'deviceKey' | 'deviceSecret'>;
  /** From `settingsDigest`; undefined when there is no key. */
  readonly digest: string | undefined;
  /** Whether the file itself holds the device secret. */
  readonly holdsSecret: boolean;
}

const NOTHING_GIVEN: GivenTexts = { problems: [] };

/** A section of a wrong type hides all its settings, so it is reported as a problem. */
function sectionProblems(root: JsonObject): SettingProblem[] {
  return SECTIONS.flatMap((path) => {
    const value = valueAt(root, path);
    if (value === undefined || isJsonObject(value)) return [];
    return [{ path, found: typeName(value), expected: 'an object' }];
  });
}

/** The values of key and secret in all spellings. Messages must not show a text that contains one of them. */
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

/** A value from the environment overrides the file. The value in the file must be valid anyway. */
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

function overriddenWarnings(root: JsonObject, { deviceKey, deviceSecret }: GivenTexts): string[] {
  const pairs = [[SETTINGS.deviceKey, deviceKey] as const, [SETTINGS.deviceSecret, deviceSecret] as const];
  return pairs.flatMap(([setting, given]) => {
    const other = setting.spellings.find((path) => {
      const value = valueAt(root, path);
      return given !== undefined && value !== undefined && value !== given.text;
    });
    return given === undefined || other === undefined ? [] : [`${other} is not used, because ${given.from} is set`];
  });
}

function takeName(root: JsonObject, problems: SettingProblem[]): ProvisionSettings['name'] {
  const name = takeSetting(root, SETTINGS.name, problems);
  const source = takeSetting(root, SETTINGS.nameSource, problems) ?? 'random';
  const prefix = takeSetting(root, SETTINGS.namePrefix, problems) ?? 'thermal-camera';
  return name === undefined ? { source, prefix } : { source: 'fixed', name };
}

/** Port and TLS set each other's default: 8883 is the registered port of MQTT over TLS. */
function takeServer(root: JsonObject, problems: SettingProblem[]): { port: number; useSsl: boolean } {
  const givenPort = takeSetting(root, SETTINGS.port, problems);
  const useSsl = takeSetting(root, SETTINGS.useSsl, problems) ?? givenPort === 8883;
  return { port: givenPort ?? (useSsl ? 8883 : 1883), useSsl };
}

/** Whether the file holds the device secret, in any of its spellings. */
export const holdsSecret = (root: JsonObject): boolean =>
  SETTINGS.deviceSecret.spellings.some((spelling) => valueAt(root, spelling) !== undefined);

/** The settings other than key and secret; undefined without a host. Errors are added to `problems`. */
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

function settingWarnings(root: JsonObject, settings: ProvisionSettings): string[] {
  const warnings: string[] = [];
  if (settings.caFile !== undefined && !settings.useSsl) {
    warnings.push('ca_file is not used, because use_ssl is false');
  }
  if (settings.name.source === 'fixed' && valueAt(root, 'device.name_source') !== undefined) {
    warnings.push('device.name_source is not used, because device.name is set');
  }
  // ThingsBoard does not trim key and secret (docs/thingsboard.md, section 2). Such a space usually comes from pasting.
  for (const [what, secret] of [
    ['device key', settings.deviceKey],
    ['device secret', settings.deviceSecret],
  ] as const) {
    const value = secret.reveal();
    if (value !== value.trim())
      warnings.push(`the ${what} starts or ends with white space, and the server does not trim it`);
  }
  return warnings;
}

function invalid(path: string, problems: readonly SettingProblem[], warnings: readonly string[]): Failure {
  const shown = problems.slice(0, MAX_PROBLEMS).map(lineOf);
  if (problems.length > MAX_PROBLEMS) shown.push(`and ${problems.length - MAX_PROBLEMS} more`);
  // An unknown key is often a misspelling of a missing one.
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

/** @param needed whether key and secret are required, in the file or from outside */
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
  // A wrong value from the environment is already a problem, so its absence in the file is not reported again.
  const keyNeeded = needed && !given.problems.some((problem) => isGiven(problem, 'THERMAL_DEVICE_KEY'));
  const secretNeeded = needed && !given.problems.some((problem) => isGiven(problem, 'THERMAL_DEVICE_SECRET'));
  const key = takeSecret(root, SETTINGS.deviceKey, given.deviceKey, keyNeeded, problems);
  const secret = takeSecret(root, SETTINGS.deviceSecret, given.deviceSecret, secretNeeded, problems);
  const settings = takePublicSettings(root, problems);
  problems.push(...given.problems);
  if (settings === undefined || problems.length > 0) throw invalid(path, problems, unknown);
  return { root, settings, key, secret, warnings: [...unknown, ...overriddenWarnings(root, given)] };
}

const lineOf = ({ path, found, expected }: SettingProblem): string => `${path}: found ${found}, expected ${expected}`;

/**
 * Reads the content of provision.json (docs/files.md). Nested form, flat form and the camel-case aliases may be mixed.
 * Two spellings of one setting must have the same value. An IPv6 address has no brackets.
 * @param path the file's name in messages
 * @param given external key and secret; they override those in the file
 * @throws Failure PROVISION_JSON_INVALID with all problems, one line each: `- path: found X, expected Y`
 */
export function parseProvisionJson(
  bytes: Uint8Array,
  path: string = PROVISION_JSON,
  given: GivenTexts = NOTHING_GIVEN,
): ParsedProvisionJson {
  const { root, settings, key, secret, warnings } = take(bytes, path, given, true);
  if (key === undefined || secret === undefined) throw new Error('a required setting is missing without a problem');
  const whole = { deviceKey: new Secret(key), deviceSecret: new Secret(secret), ...settings };
  return { settings: whole, warnings: [...warnings, ...settingWarnings(root, whole)] };
}

/** The bytes and the path of the provision.json that is used. */
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
 * Reads provision.json. `readCaFile` reads the CA file that it names.
 * @param path the file, e.g. `<device folder>/provision.json`
 * @param externalSettings key and secret from outside provision.json; default: none
 * @returns the settings, the warnings and the path of the file that was read
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
 * Like `readProvisionJson`, for callers that do not connect to the server. Key and secret may be missing: only another
 * process may have them, or they were removed after a success.
 * @throws Failure as `readProvisionJson`
 */
export async function readPublicSettings(
  path: string,
  externalSettings: ExternalSettings = {},
): Promise<PublicSettings> {
  const given = await givenTexts(externalSettings);
  const read = await readFirst(path, externalSettings, given);
  const { root, settings, key } = take(read.bytes, read.path, given, false);
  const digest = key === undefined ? undefined : settingsDigest({ ...settings, deviceKey: new Secret(key) });
  return { settings, digest, holdsSecret: holdsSecret(root) };
}

/**
 * The digest that decides whether an interrupted run may resume with these settings: 16 hexadecimal digits of the
 * SHA-256 over host (without case), port, key and name settings. Secret and limits may change during a run.
 */
export function settingsDigest(settings: Omit<ProvisionSettings, 'deviceSecret'>): string {
  const { host, port, deviceKey, name } = settings;
  const naming = name.source === 'fixed' ? ['fixed', name.name] : [name.source, name.prefix];
  const identity = JSON.stringify([host.toLowerCase(), port, deviceKey.reveal(), naming]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 16);
}
