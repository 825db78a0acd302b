import { join } from 'node:path';
import { readLimited } from '../../files/readLimited.ts';
import type { SettingProblem } from './settingProblem.ts';

/** The source of a key or secret that is not in provision.json. */
export interface ExternalSource {
  /** The environment variable that holds it. */
  readonly value?: { readonly variable: string; readonly text: string };
  /** The environment variable that names a file with it. */
  readonly file?: { readonly variable: string; readonly path: string };
}

/** Other sources of settings than provision.json in the device folder (docs/files.md, "Other sources of settings"). */
export interface ExternalSettings {
  /** Used where the device folder has no provision.json: `$CREDENTIALS_DIRECTORY/provision.json` (systemd.exec(5)). */
  readonly provisionJson?: string;
  readonly deviceKey?: ExternalSource;
  readonly deviceSecret?: ExternalSource;
}

/** A key or secret, and the name under which messages speak of its origin. */
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

/** The variables that hold a secret themselves: programs that the agent starts must not inherit them. */
export const SECRET_VARIABLES = ['THERMAL_DEVICE_KEY', 'THERMAL_DEVICE_SECRET'] as const;

/** Every variable that is read here. */
export const EXTERNAL_VARIABLES = [
  ...SECRET_VARIABLES.flatMap((variable) => [variable, `${variable}_FILE`]),
  'CREDENTIALS_DIRECTORY',
];

/** Far more than the 256 characters that a key may have, and few enough for every board. */
const MAX_FILE_BYTES = 4096;
const EXPECTED = 'a text of 1 to 256 characters';

function givenIn(env: Environment, variable: (typeof SECRET_VARIABLES)[number]): ExternalSource | undefined {
  const text = env[variable] ?? '';
  const path = env[`${variable}_FILE`] ?? '';
  if (text === '' && path === '') return undefined;
  return {
    ...(text === '' ? {} : { value: { variable, text } }),
    ...(path === '' ? {} : { file: { variable: `${variable}_FILE`, path } }),
  };
}

/** What the environment gives; an empty variable counts as one that is not set. */
export function externalSettings(env: Environment): ExternalSettings {
  const folder = env.CREDENTIALS_DIRECTORY ?? '';
  const deviceKey = givenIn(env, 'THERMAL_DEVICE_KEY');
  const deviceSecret = givenIn(env, 'THERMAL_DEVICE_SECRET');
  return {
    ...(folder === '' ? {} : { provisionJson: join(folder, 'provision.json') }),
    ...(deviceKey === undefined ? {} : { deviceKey }),
    ...(deviceSecret === undefined ? {} : { deviceSecret }),
  };
}

const FOUND = {
  absent: 'no such file',
  'not-a-file': 'something that is no plain file',
  'too-large': `a file of more than ${MAX_FILE_BYTES} bytes`,
  'not-permitted': 'a file that the agent’s user may not read',
  unreadable: 'a file that can’t be read',
} as const;

/** The text of one origin; the line break that ends a file, as editors and `echo` leave it, is no part of it. */
async function textOf(given: ExternalSource): Promise<GivenText | SettingProblem> {
  const { value, file } = given;
  if (value !== undefined && file !== undefined) {
    return { path: file.variable, found: `a file beside ${value.variable}`, expected: 'one of the two' };
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
    found: text === '' ? 'an empty text' : `a text of ${text.length} characters`,
    expected: EXPECTED,
  };
}

/** Reads key and secret from where the environment says; what is wrong with them is a problem, none is thrown. */
export async function givenTexts({ deviceKey, deviceSecret }: ExternalSettings): Promise<GivenTexts> {
  const key = deviceKey === undefined ? undefined : await textOf(deviceKey);
  const secret = deviceSecret === undefined ? undefined : await textOf(deviceSecret);
  return {
    ...(key !== undefined && 'text' in key ? { deviceKey: key } : {}),
    ...(secret !== undefined && 'text' in secret ? { deviceSecret: secret } : {}),
    problems: [key, secret].filter((one): one is SettingProblem => one !== undefined && 'found' in one),
  };
}
