import * as z from 'zod/mini';
import type { CredentialsKind } from '../../device/candidate.ts';
import { isNameText, NAME_PARTS, type NameSettings } from '../../device/nameSettings.ts';
import type { Secret } from '../../secret.ts';
import { PROXY_EXPECTED } from '../proxy/proxyUrl.ts';
import { describeHost, isHost } from './host.ts';
import { proxyProblem, type WaySettings } from './proxySettings.ts';

/** The settings of provision.json with defaults filled in. */
export interface ProvisionSettings extends WaySettings {
  readonly deviceKey: Secret;
  readonly deviceSecret: Secret;
  readonly useSsl: boolean;
  /** PEM bundle, relative to the device folder; undefined: the system's authorities. */
  readonly caFile: string | undefined;
  /** Limit for one exchange with the server, in seconds. Fractions are allowed. */
  readonly timeoutSeconds: number;
  readonly maxRetries: number;
  readonly name: NameSettings;
  readonly deviceType?: string;
  readonly deviceProfile?: string;
  /** Register a gateway: a device that speaks for others. */
  readonly gateway?: true;
  /** Remove the secret from provision.json after the device is provisioned. */
  readonly scrub?: true;
  /** Provision also where a reboot loses what is written. */
  readonly allowVolatileStorage?: true;
  /** Absent: an access token. */
  readonly credentials?: Exclude<CredentialsKind, 'access_token'>;
  /** Path of the board secret, relative to the device folder. The credentials are derived from it. */
  readonly boardSecretFile?: string;
  /** Another number derives other credentials. Absent: 1. */
  readonly tokenGeneration?: number;
}

/** One setting: its spellings and its valid values. */
export interface Setting<T> {
  /**
   * JSON paths, in the documented spelling first. The keys of `provisioning` are also accepted at the top, and the keys
   * at the top in `provisioning` (keyMeaning.ts).
   */
  readonly spellings: readonly string[];
  /**
   * Other keys that can mean nothing else; the log says what they were taken for. `word` is accepted at the top, in
   * `provisioning` and where the setting has a spelling; `section.word` only in that section.
   */
  readonly synonyms?: readonly string[];
  readonly schema: z.ZodMiniType<T>;
  readonly expected: string;
  /** The value is never shown, not even a number. */
  readonly secret?: true;
  /** Describes a wrong string without quoting it. */
  readonly describeText?: (text: string) => string | undefined;
}

/** The path of a program, without control characters. */
const NAME_COMMAND = /^command:(\/\P{Cc}+)$/u;

const credential = z.string().check(z.minLength(1), z.maxLength(256));
const path = z.string().check(
  z.minLength(1),
  z.maxLength(1024),
  z.refine((text) => !text.includes('\0')),
);
const label = z.string().check(z.maxLength(256));
const LABEL_EXPECTED = 'a string of at most 256 characters';
const CREDENTIAL_EXPECTED = 'a string of 1 to 256 characters';
const TRUE_OR_FALSE = 'true or false, without quotes';

const setting = <T>(definition: Setting<T>): Setting<T> => definition;

/** Every setting of provision.json. The key that the documentation uses comes first. */
export const SETTINGS = {
  deviceKey: setting({
    spellings: ['provisioning.device_key', 'provisioning.provisionDeviceKey', 'provision_device_key'],
    synonyms: ['provision_key', 'provisioning_key', 'provisioning.key'],
    schema: credential,
    expected: CREDENTIAL_EXPECTED,
    secret: true,
  }),
  deviceSecret: setting({
    spellings: ['provisioning.device_secret', 'provisioning.provisionDeviceSecret', 'provision_device_secret'],
    synonyms: ['provision_secret', 'provisioning_secret', 'provisioning.secret'],
    schema: credential,
    expected: CREDENTIAL_EXPECTED,
    secret: true,
  }),
  host: setting({
    spellings: ['provisioning.host', 'provisioning.serverUrl', 'server_url'],
    synonyms: ['server', 'hostname', 'host_name', 'server_host', 'server_hostname', 'url', 'mqtt_host'],
    schema: z.string().check(z.refine(isHost)),
    expected:
      'a host name, an IPv4 or an IPv6 address: no scheme (TLS is use_ssl: true), no port (it has its own key), no brackets',
    describeText: describeHost,
  }),
  port: setting({
    spellings: ['provisioning.port', 'provisioning.serverPort', 'server_port'],
    synonyms: ['mqtt_port'],
    schema: z.int().check(z.gte(1), z.lte(65_535)),
    expected: 'an integer from 1 to 65535, without quotes',
  }),
  useSsl: setting({
    spellings: ['provisioning.use_ssl', 'provisioning.useSsl', 'use_ssl'],
    synonyms: ['tls', 'ssl', 'use_tls', 'tls_enabled', 'ssl_enabled', 'secure', 'mqtts', 'encryption'],
    schema: z.boolean(),
    expected: TRUE_OR_FALSE,
  }),
  caFile: setting({
    spellings: ['provisioning.ca_file'],
    synonyms: ['ca', 'ca_cert', 'ca_certs', 'ca_certificate', 'ca_pem', 'ca_bundle', 'root_ca'],
    schema: path,
    expected: 'the path of a PEM file, at most 1024 characters, relative to the device folder',
  }),
  proxy: setting({
    spellings: ['provisioning.proxy'],
    synonyms: ['proxy_url', 'https_proxy', 'all_proxy', 'socks_proxy'],
    schema: z.string().check(z.refine((text) => proxyProblem(text) === undefined)),
    expected: PROXY_EXPECTED,
    secret: true,
    describeText: proxyProblem,
  }),
  timeoutSeconds: setting({
    spellings: ['provisioning.timeout_seconds', 'provisioning.timeoutSeconds', 'timeout_seconds'],
    synonyms: ['timeout', 'timeout_sec', 'timeout_secs'],
    schema: z.number().check(z.gte(1), z.lte(300)),
    expected: 'a number from 1 to 300, without quotes',
  }),
  maxRetries: setting({
    spellings: ['provisioning.max_retries'],
    synonyms: ['retries', 'max_retry', 'retry_count', 'number_of_retries'],
    schema: z.int().check(z.gte(0), z.lte(10)),
    expected: 'an integer from 0 to 10, without quotes',
  }),
  scrub: setting({
    spellings: ['provisioning.scrub'],
    synonyms: ['scrub_secret', 'remove_secret', 'delete_secret'],
    schema: z.boolean(),
    expected: TRUE_OR_FALSE,
  }),
  allowVolatileStorage: setting({
    spellings: ['provisioning.allow_volatile_storage'],
    schema: z.boolean(),
    expected: TRUE_OR_FALSE,
  }),
  namePrefix: setting({
    spellings: [
      'provisioning.device_name_prefix',
      'provisioning.deviceNamePrefix',
      'device_name_prefix',
      'device.device_name_prefix',
    ],
    synonyms: ['name_prefix', 'device_prefix', 'provisioning.prefix', 'device.prefix'],
    schema: z.string().check(z.regex(/^[a-z][a-z0-9-]{0,56}$/)),
    expected: '1 to 57 characters of a-z, 0-9 and -, starting with a letter',
  }),
  name: setting({
    spellings: ['device.name'],
    synonyms: ['device_name', 'provisioning.name'],
    schema: z.string().check(z.refine(isNameText)),
    expected: '1 to 64 characters of A-Z, a-z, 0-9, _ and -, and {serial}, {mac}, {hostname}, {machine-id}, {random}',
  }),
  nameSource: setting({
    spellings: ['device.name_source'],
    synonyms: ['device_name_source', 'name_source'],
    schema: z.union([z.enum(NAME_PARTS), z.string().check(z.regex(NAME_COMMAND), z.maxLength(1024))]),
    expected: '"random", "mac", "serial", "machine-id", "hostname" or "command:/path/of/a/program"',
  }),
  type: setting({
    spellings: ['device.type'],
    synonyms: ['device_type', 'provisioning.type'],
    schema: label,
    expected: LABEL_EXPECTED,
  }),
  profile: setting({
    spellings: ['device.profile'],
    synonyms: ['device_profile', 'device_profile_name', 'profile', 'profile_name'],
    schema: label,
    expected: LABEL_EXPECTED,
  }),
  gateway: setting({
    spellings: ['device.gateway'],
    synonyms: ['is_gateway', 'device_is_gateway', 'provisioning.gateway'],
    schema: z.boolean(),
    expected: TRUE_OR_FALSE,
  }),
  credentials: setting({
    spellings: ['device.credentials'],
    synonyms: ['device_credentials', 'credentials_type'],
    schema: z.enum(['access_token', 'mqtt_basic', 'x509']),
    expected: '"access_token", "mqtt_basic" or "x509"',
  }),
  boardSecretFile: setting({
    spellings: ['provisioning.board_secret_file'],
    schema: path,
    expected: 'the path of a file, at most 1024 characters, relative to the device folder',
  }),
  tokenGeneration: setting({
    spellings: ['provisioning.token_generation'],
    schema: z.int().check(z.gte(1), z.lte(1_000_000)),
    expected: 'an integer from 1 to 1000000, without quotes',
  }),
};

export const SECTIONS = ['provisioning', 'device'] as const;
