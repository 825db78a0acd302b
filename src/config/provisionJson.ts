import { createHash } from 'node:crypto';
import { Failure } from '../failure.ts';
import { fileFailure } from '../files/fileFailure.ts';
import { readLimited } from '../files/readLimited.ts';
import { Secret } from '../secret.ts';
import { KNOWN_PATHS, type ProvisionSettings, SECTIONS, SETTINGS } from './provisionSettings.ts';
import { duplicateProblems, unknownKeyWarnings } from './settingKeys.ts';
import { requireSetting, type SettingProblem, takeSetting, valueAt } from './settingProblem.ts';
import { isJsonObject, type JsonObject, readJsonObject, typeName } from './strictJson.ts';

export { readCaFile } from './caFile.ts';
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

/** A section of a wrong type hides every setting in it, so it is a problem of its own. */
function sectionProblems(root: JsonObject): SettingProblem[] {
  return SECTIONS.flatMap((path) => {
    const value = valueAt(root, path);
    if (value === undefined || isJsonObject(value)) return [];
    return [{ path, found: typeName(value), expected: 'an object' }];
  });
}

/** The texts that stand where a key or secret belongs: nothing that contains one is shown. */
function secretsIn(root: JsonObject): readonly string[] {
  return [SETTINGS.deviceKey, SETTINGS.deviceSecret]
    .flatMap(({ spellings }) => spellings)
    .map((path) => valueAt(root, path))
    .filter((value) => typeof value === 'string')
    .filter((value) => value !== '');
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

/** Undefined when something is wrong, which then stands in `problems`. */
function takeSettings(root: JsonObject, problems: SettingProblem[]): ProvisionSettings | undefined {
  const deviceKey = requireSetting(root, SETTINGS.deviceKey, problems);
  const deviceSecret = requireSetting(root, SETTINGS.deviceSecret, problems);
  const host = requireSetting(root, SETTINGS.host, problems);
  const server = takeServer(root, problems);
  const caFile = takeSetting(root, SETTINGS.caFile, problems);
  const timeoutSeconds = takeSetting(root, SETTINGS.timeoutSeconds, problems) ?? 30;
  const maxRetries = takeSetting(root, SETTINGS.maxRetries, problems) ?? 3;
  const name = takeName(root, problems);
  const deviceType = takeSetting(root, SETTINGS.type, problems);
  const deviceProfile = takeSetting(root, SETTINGS.profile, problems);
  takeSetting(root, SETTINGS.credentials, problems);
  if (deviceKey === undefined || deviceSecret === undefined || host === undefined) return undefined;
  return {
    deviceKey: new Secret(deviceKey),
    deviceSecret: new Secret(deviceSecret),
    host,
    ...server,
    caFile,
    timeoutSeconds,
    maxRetries,
    name,
    ...(deviceType === undefined ? {} : { deviceType }),
    ...(deviceProfile === undefined ? {} : { deviceProfile }),
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
  // ThingsBoard compares both exactly, untrimmed (contract page, section 2); such a space is mostly a pasted one.
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
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = problems
    .slice(0, MAX_PROBLEMS)
    .map(({ path: at, found, expected }) => `- ${at}: found ${found}, expected ${expected}`);
  if (problems.length > MAX_PROBLEMS) lines.push(`- and ${problems.length - MAX_PROBLEMS} more`);
  // An unknown key next to a missing one is mostly a slip of it.
  const notes = warnings.map((warning) => `- note: ${warning}`);
  return new Failure('PROVISION_JSON_INVALID', [`${path} has ${count}:`, ...lines, ...notes].join('\n'));
}

/**
 * Reads the content of provision.json (docs: “Files on the device”). Nested and flat form and the camel-case aliases
 * may be mixed; two spellings of one setting must agree. An IPv6 address stands without brackets.
 * @param path how messages name the file
 * @throws Failure PROVISION_JSON_INVALID with every problem at once, one line each: `- path: found X, expected Y`
 */
export function parseProvisionJson(bytes: Uint8Array, path: string = PROVISION_JSON): ParsedProvisionJson {
  const json = readJsonObject(bytes, MAX_DEPTH);
  if (!json.ok) throw new Failure('PROVISION_JSON_INVALID', `${path} ${json.problem}`);
  const secrets = secretsIn(json.value);
  const unknown = unknownKeyWarnings(json.value, KNOWN_PATHS, secrets);
  const problems = [...duplicateProblems(json.text, secrets), ...sectionProblems(json.value)];
  const settings = takeSettings(json.value, problems);
  if (settings === undefined || problems.length > 0) throw invalid(path, problems, unknown);
  return { settings, warnings: [...unknown, ...oddities(json.value, settings)] };
}

/**
 * Reads provision.json. The CA file that it names is read by `readCaFile`.
 * @param path the file itself, e.g. `<device folder>/provision.json`
 * @throws Failure PROVISION_JSON_MISSING, PROVISION_JSON_UNREADABLE, PROVISION_JSON_INVALID, DISK_ERROR
 */
export async function readProvisionJson(path: string): Promise<ParsedProvisionJson> {
  const read = await readLimited(path, MAX_PROVISION_BYTES);
  if (read.ok) return parseProvisionJson(read.bytes, path);
  switch (read.problem) {
    case 'absent':
      throw new Failure('PROVISION_JSON_MISSING', `There is no ${path}`);
    case 'too-large':
      throw new Failure('PROVISION_JSON_INVALID', `${path} is larger than ${MAX_PROVISION_BYTES} bytes`);
    case 'not-a-file':
      throw new Failure('PROVISION_JSON_UNREADABLE', `${path} is not a plain file`);
    case 'not-permitted':
      throw new Failure('PROVISION_JSON_UNREADABLE', `No permission to read ${path}`, { cause: read.cause });
    default:
      throw fileFailure(read.cause, `read ${path}`);
  }
}

/**
 * Tells whether an interrupted run may go on with these settings: 16 hexadecimal digits of the SHA-256 over host
 * (without case), port, key and the name settings. Secret and limits may change in the middle of a run.
 */
export function settingsDigest(settings: ProvisionSettings): string {
  const { host, port, deviceKey, name } = settings;
  const naming = name.source === 'fixed' ? ['fixed', name.name] : [name.source, name.prefix];
  const identity = JSON.stringify([host.toLowerCase(), port, deviceKey.reveal(), naming]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 16);
}
