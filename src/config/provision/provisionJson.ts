import type { CredentialsKind } from '../../device/candidate.ts';
import { isNamePart } from '../../device/nameSettings.ts';
import { nearMisses } from '../../device/nearMisses.ts';
import { Failure } from '../../failures/failure.ts';
import { fileFailure } from '../../failures/fileFailure.ts';
import { readLimited } from '../../files/readLimited.ts';
import { Secret } from '../../secret.ts';
import { readJsonObject } from '../json/strictJson.ts';
import { type ExternalSettings, type GivenText, type GivenTexts, givenTexts } from './externalSettings.ts';
import { type ProvisionSettings, SETTINGS } from './provisionSettings.ts';
import { proxyOf, withEnvironmentProxy } from './proxySettings.ts';
import { duplicateProblems, readSettingKeys, type SettingKeys, type SettingProblem } from './settingKeys.ts';
import { absent, requireSetting, takeSetting } from './settingProblem.ts';
import { settingsDigest } from './settingsDigest.ts';

export { readCaFile } from '../authorities/caFile.ts';
export type { ProvisionSettings } from './provisionSettings.ts';
export type { SettingProblem } from './settingKeys.ts';

const PROVISION_JSON = 'provision.json';
export const MAX_PROVISION_BYTES = 64 * 1024;
const MAX_DEPTH = 32;
const MAX_PROBLEMS = 100;
/** The registered port of MQTT over TLS. */
const TLS_PORT = 8883;

/** The settings, and warnings about the file. A warning does not make it invalid. */
export interface ParsedProvisionJson {
  readonly settings: ProvisionSettings;
  readonly warnings: readonly string[];
  /** What keys in an undocumented spelling were taken for, one sentence each. */
  readonly notes: readonly string[];
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

type SecretSetting = typeof SETTINGS.deviceKey;

/** A value from the environment overrides the file. The value in the file must be valid anyway. */
function takeSecret(
  keys: SettingKeys,
  setting: SecretSetting,
  given: GivenText | undefined,
  needed: boolean,
  problems: SettingProblem[],
): string | undefined {
  const isGiven = given !== undefined || !needed;
  const inFile = isGiven ? takeSetting(keys, setting, problems) : requireSetting(keys, setting, problems);
  return given?.text ?? inFile;
}

function overriddenWarnings(keys: SettingKeys, { deviceKey, deviceSecret }: GivenTexts): string[] {
  const pairs = [[SETTINGS.deviceKey, deviceKey] as const, [SETTINGS.deviceSecret, deviceSecret] as const];
  return pairs.flatMap(([setting, given]) => {
    const other = keys.values.get(setting)?.find(({ value }) => given !== undefined && value !== given.text);
    return given === undefined || other === undefined
      ? []
      : [`${other.path} is not used, because ${given.from} is set`];
  });
}

function takeName(keys: SettingKeys, problems: SettingProblem[]): ProvisionSettings['name'] {
  const name = takeSetting(keys, SETTINGS.name, problems);
  const source = takeSetting(keys, SETTINGS.nameSource, problems) ?? 'random';
  const prefix = takeSetting(keys, SETTINGS.namePrefix, problems) ?? 'thermal-camera';
  if (name !== undefined)
    return name.includes('{') ? { source: 'template', template: name } : { source: 'fixed', name };
  return isNamePart(source)
    ? { source, prefix }
    : { source: 'command', prefix, command: source.slice('command:'.length) };
}

/** Port and TLS set each other's default. */
function takeServer(keys: SettingKeys, problems: SettingProblem[]): { port: number; useSsl: boolean } {
  const givenPort = takeSetting(keys, SETTINGS.port, problems);
  const useSsl = takeSetting(keys, SETTINGS.useSsl, problems) ?? givenPort === TLS_PORT;
  return { port: givenPort ?? (useSsl ? TLS_PORT : 1883), useSsl };
}

/** A CA file asks for TLS. Without TLS the secret would be sent in clear text, so that must be said explicitly. */
function clearTextProblems(keys: SettingKeys, useSsl: boolean): SettingProblem[] {
  const [caFile] = keys.values.get(SETTINGS.caFile) ?? [];
  if (caFile === undefined || useSsl || keys.values.has(SETTINGS.useSsl)) return [];
  const { path, expected } = absent(keys, SETTINGS.useSsl);
  return [{ path, found: `nothing, but ${caFile.path} is set`, expected }];
}

/** A client certificate is part of TLS. Its key is always random, so no board secret can bring it back. */
function takeCredentials(keys: SettingKeys, useSsl: boolean, problems: SettingProblem[]): CredentialsKind {
  const kind = takeSetting(keys, SETTINGS.credentials, problems) ?? 'access_token';
  if (kind !== 'x509') return kind;
  const [given] = keys.values.get(SETTINGS.credentials) ?? [];
  const path = given?.path ?? 'device.credentials';
  if (!useSsl) problems.push({ path, found: '"x509" without TLS', expected: 'use_ssl: true with it' });
  if (keys.values.has(SETTINGS.boardSecretFile)) {
    problems.push({ path, found: '"x509" and provisioning.board_secret_file', expected: 'only one of the two' });
  }
  return kind;
}

/** The settings other than key and secret; undefined without a host. Errors are added to `problems`. */
function takePublicSettings(keys: SettingKeys, problems: SettingProblem[]): PublicSettings['settings'] | undefined {
  const host = requireSetting(keys, SETTINGS.host, problems);
  const server = takeServer(keys, problems);
  const caFile = takeSetting(keys, SETTINGS.caFile, problems);
  if (caFile !== undefined) problems.push(...clearTextProblems(keys, server.useSsl));
  const proxy = proxyOf(takeSetting(keys, SETTINGS.proxy, problems));
  const timeoutSeconds = takeSetting(keys, SETTINGS.timeoutSeconds, problems) ?? 30;
  const maxRetries = takeSetting(keys, SETTINGS.maxRetries, problems) ?? 3;
  const scrub = takeSetting(keys, SETTINGS.scrub, problems) ?? false;
  const allowVolatileStorage = takeSetting(keys, SETTINGS.allowVolatileStorage, problems) ?? false;
  const name = takeName(keys, problems);
  const deviceType = takeSetting(keys, SETTINGS.type, problems);
  const deviceProfile = takeSetting(keys, SETTINGS.profile, problems);
  const gateway = takeSetting(keys, SETTINGS.gateway, problems) ?? false;
  const credentials = takeCredentials(keys, server.useSsl, problems);
  const boardSecretFile = takeSetting(keys, SETTINGS.boardSecretFile, problems);
  const tokenGeneration = takeSetting(keys, SETTINGS.tokenGeneration, problems) ?? 1;
  if (host === undefined) return undefined;
  return {
    host,
    ...server,
    caFile,
    ...proxy,
    timeoutSeconds,
    maxRetries,
    name,
    ...(deviceType === undefined ? {} : { deviceType }),
    ...(deviceProfile === undefined ? {} : { deviceProfile }),
    ...(gateway ? { gateway } : {}),
    ...(scrub ? { scrub } : {}),
    ...(allowVolatileStorage ? { allowVolatileStorage } : {}),
    ...(credentials === 'access_token' ? {} : { credentials }),
    ...(boardSecretFile === undefined ? {} : { boardSecretFile }),
    ...(tokenGeneration === 1 ? {} : { tokenGeneration }),
  };
}

function settingWarnings(keys: SettingKeys, settings: ProvisionSettings): string[] {
  const warnings: string[] = [];
  if (settings.caFile !== undefined && !settings.useSsl) {
    warnings.push('ca_file is not used, because use_ssl is false');
  }
  if (!settings.useSsl && settings.port === TLS_PORT) {
    warnings.push(
      `use_ssl is false: the connection to port ${TLS_PORT} is not encrypted, although it is the port for TLS`,
    );
  }
  if (keys.values.has(SETTINGS.name) && keys.values.has(SETTINGS.nameSource)) {
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
  readonly keys: SettingKeys;
}

/** @param needed whether key and secret are required, in the file or from outside */
function take(bytes: Uint8Array, path: string, given: GivenTexts, needed: boolean): Taken {
  const json = readJsonObject(bytes, MAX_DEPTH);
  if (!json.ok) {
    const facts = { path, problem: json.problem, problems: given.problems.map(lineOf) };
    throw new Failure('PROVISION_JSON_INVALID', 'notJson', facts);
  }
  const givenSecrets = [given.deviceKey, given.deviceSecret].flatMap((one) => (one === undefined ? [] : [one.text]));
  const keys = readSettingKeys(json.value, givenSecrets);
  const problems = [...duplicateProblems(json.text, keys.secrets), ...keys.problems];
  const isGiven = (problem: SettingProblem, variable: string): boolean => problem.path.startsWith(variable);
  // A wrong value from the environment is already a problem, so its absence in the file is not reported again.
  const keyNeeded = needed && !given.problems.some((problem) => isGiven(problem, 'THERMAL_DEVICE_KEY'));
  const secretNeeded = needed && !given.problems.some((problem) => isGiven(problem, 'THERMAL_DEVICE_SECRET'));
  const key = takeSecret(keys, SETTINGS.deviceKey, given.deviceKey, keyNeeded, problems);
  const secret = takeSecret(keys, SETTINGS.deviceSecret, given.deviceSecret, secretNeeded, problems);
  const settings = takePublicSettings(keys, problems);
  problems.push(...given.problems);
  if (settings === undefined || problems.length > 0) throw invalid(path, problems, [...keys.unknown, ...keys.notes]);
  return { keys, settings, key, secret, warnings: [...keys.unknown, ...overriddenWarnings(keys, given)] };
}

const lineOf = ({ path, found, expected }: SettingProblem): string => `${path}: found ${found}, expected ${expected}`;

/**
 * Reads the content of provision.json (docs/files.md). Nested and flat form and all spellings may be mixed.
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
  const { keys, settings, key, secret, warnings } = take(bytes, path, given, true);
  if (key === undefined || secret === undefined) throw new Error('a required setting is missing without a problem');
  const whole = { deviceKey: new Secret(key), deviceSecret: new Secret(secret), ...settings };
  return { settings: whole, warnings: [...warnings, ...settingWarnings(keys, whole)], notes: keys.notes };
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
      const near = await nearMisses(path);
      if (near.length > 0) {
        throw new Failure('PROVISION_JSON_MISSING', 'misnamed', { path, meant: near.join(', '), problems });
      }
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
  const parsed = parseProvisionJson(read.bytes, read.path, given);
  const settings = await withEnvironmentProxy(parsed.settings, externalSettings.proxy, read.path);
  return { ...parsed, settings, path: read.path };
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
  const { keys, settings, key } = take(read.bytes, read.path, given, false);
  const digest = key === undefined ? undefined : settingsDigest({ ...settings, deviceKey: new Secret(key) });
  return { settings, digest, holdsSecret: keys.values.has(SETTINGS.deviceSecret) };
}
