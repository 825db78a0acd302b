import { join } from 'node:path';
import { readLimited } from '../../files/readLimited.ts';
import { PROXY_VARIABLES, SECRET_VARIABLES } from '../../secret.ts';
import { NO_PROXY_VARIABLES, type VariableProxy, variableProxy } from '../proxy/proxyVariables.ts';
import type { SettingProblem } from './settingKeys.ts';

/** The source of a key or secret that is not in provision.json. */
export interface ExternalSource {
  /** The environment variable that holds the value. */
  readonly value?: { readonly variable: string; readonly text: string };
  /** The environment variable that names a file with the value. */
  readonly file?: { readonly variable: string; readonly path: string };
}

/** Other sources of settings than provision.json in the device folder (docs/files.md, "Other sources of settings"). */
export interface ExternalSettings {
  /** `$CREDENTIALS_DIRECTORY/provision.json` (systemd.exec(5)); used if the device folder has no provision.json. */
  readonly provisionJson?: string;
  readonly deviceKey?: ExternalSource;
  readonly deviceSecret?: ExternalSource;
  /** The file of THERMAL_BOARD_SECRET_FILE. */
  readonly boardSecretFile?: string;
  /** Used if provision.json names no proxy. */
  readonly proxy?: VariableProxy;
}

/** A key or secret, and the name of its source in messages. */
export interface GivenText {
  readonly from: string;
  readonly text: string;
}

export interface GivenTexts {
  readonly deviceKey?: GivenText;
  readonly deviceSecret?: GivenText;
  readonly problems: readonly SettingProblem[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Every variable that this module reads. */
export const EXTERNAL_VARIABLES = [
  ...SECRET_VARIABLES.flatMap((variable) => [variable, `${variable}_FILE`]),
  'CREDENTIALS_DIRECTORY',
  'THERMAL_BOARD_SECRET_FILE',
  ...PROXY_VARIABLES,
  ...NO_PROXY_VARIABLES,
];

/** Far more than the 256 characters of the longest key. */
const MAX_FILE_BYTES = 4096;
const EXPECTED = 'a string of 1 to 256 characters';

function givenIn(env: Environment, variable: (typeof SECRET_VARIABLES)[number]): ExternalSource | undefined {
  const text = env[variable] ?? '';
  const path = env[`${variable}_FILE`] ?? '';
  if (text === '' && path === '') return undefined;
  return {
    ...(text === '' ? {} : { value: { variable, text } }),
    ...(path === '' ? {} : { file: { variable: `${variable}_FILE`, path } }),
  };
}

/** Reads the sources from the environment. An empty variable counts as not set. */
export function externalSettings(env: Environment): ExternalSettings {
  const folder = env.CREDENTIALS_DIRECTORY ?? '';
  const boardSecretFile = env.THERMAL_BOARD_SECRET_FILE ?? '';
  const deviceKey = givenIn(env, 'THERMAL_DEVICE_KEY');
  const deviceSecret = givenIn(env, 'THERMAL_DEVICE_SECRET');
  const proxy = variableProxy(env);
  return {
    ...(folder === '' ? {} : { provisionJson: join(folder, 'provision.json') }),
    ...(deviceKey === undefined ? {} : { deviceKey }),
    ...(deviceSecret === undefined ? {} : { deviceSecret }),
    ...(boardSecretFile === '' ? {} : { boardSecretFile }),
    ...(proxy === undefined ? {} : { proxy }),
  };
}

const FOUND = {
  absent: 'no such file',
  'not-a-file': 'something that is not a plain file',
  'too-large': `a file of more than ${MAX_FILE_BYTES} bytes`,
  'not-permitted': "a file that the agent's user may not read",
  unreadable: "a file that can't be read",
} as const;

/** The text of one source, without the line break that editors and `echo` write at the end of a file. */
async function textOf(given: ExternalSource): Promise<GivenText | SettingProblem> {
  const { value, file } = given;
  if (value !== undefined && file !== undefined) {
    return { path: file.variable, found: `a file in addition to ${value.variable}`, expected: 'only one of the two' };
  }
  if (value !== undefined) return checked(value.variable, value.text);
  if (file === undefined) throw new Error('an external setting without a source');
  const read = await readLimited(file.path, MAX_FILE_BYTES);
  const name = `${file.variable} (${file.path})`;
  if (!read.ok) return { path: name, found: FOUND[read.problem], expected: `a file with ${EXPECTED}` };
  return checked(name, read.bytes.toString('utf8').replace(/\r?\n$/, ''));
}

function checked(from: string, text: string): GivenText | SettingProblem {
  if (text.length >= 1 && text.length <= 256) return { from, text };
  return {
    path: from,
    found: text === '' ? 'an empty string' : `a string of ${text.length} characters`,
    expected: EXPECTED,
  };
}

/** Reads key and secret from their external sources. Errors are returned as problems, never thrown. */
export async function givenTexts({ deviceKey, deviceSecret }: ExternalSettings): Promise<GivenTexts> {
  const key = deviceKey === undefined ? undefined : await textOf(deviceKey);
  const secret = deviceSecret === undefined ? undefined : await textOf(deviceSecret);
  return {
    ...(key !== undefined && 'text' in key ? { deviceKey: key } : {}),
    ...(secret !== undefined && 'text' in secret ? { deviceSecret: secret } : {}),
    problems: [key, secret].filter((one): one is SettingProblem => one !== undefined && 'found' in one),
  };
}
