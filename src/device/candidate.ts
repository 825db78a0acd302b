import { randomBytes, randomInt } from 'node:crypto';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { Failure } from '../failures/failure.ts';
import { Secret } from '../secret.ts';

/** What the device is to be called: one name, or a prefix with a random or a hardware suffix. */
export type NameSettings =
  | { readonly source: 'fixed'; readonly name: string }
  | { readonly source: 'random' | 'mac'; readonly prefix: string };

const NAME_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const NAME_LENGTH = 6;
const TOKEN_ALPHABET = `${NAME_ALPHABET}abcdefghijklmnopqrstuvwxyz`;
/** As long as the tokens that ThingsBoard makes (docs/thingsboard.md, section 2): 119 bits. */
const TOKEN_LENGTH = 20;
const NETWORK_INTERFACES = '/sys/class/net';

const generate = (alphabet: string, length: number): string =>
  Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('');

/** An access token from a CSPRNG. */
export const generateToken = (): Secret => new Secret(generate(TOKEN_ALPHABET, TOKEN_LENGTH));

/** An identifier of a run: time-ordered enough for people, unique enough for a fleet. */
export const generateRunId = (): string => randomBytes(8).toString('hex');

/** Whether an interface is a piece of hardware: only those have a link to their device in sysfs. */
async function isPhysical(folder: string, name: string): Promise<boolean> {
  return realpath(`${folder}/${name}/device`).then(
    () => true,
    () => false,
  );
}

/**
 * The last three bytes, in hexadecimal, of the address of the first physical network interface by name.
 * @throws Failure PROVISION_JSON_INVALID when there is none: this board needs another name_source
 */
export async function macSuffix(folder = NETWORK_INTERFACES): Promise<string> {
  const names = (await readdir(folder).catch(() => [])).sort();
  for (const name of names) {
    if (!(await isPhysical(folder, name))) continue;
    const address = (await readFile(`${folder}/${name}/address`, 'utf8').catch(() => '')).trim();
    if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(address) || /^(00:){5}00$/.test(address)) continue;
    return address.replaceAll(':', '').slice(-6).toUpperCase();
  }
  throw new Failure('PROVISION_JSON_INVALID', 'noInterface', {});
}

/**
 * The device name that the settings ask for: fixed, derived from the hardware, or prefix-XXXXXX with random characters
 * (FR-005). @throws Failure PROVISION_JSON_INVALID
 */
export async function deviceNameFor(name: NameSettings, interfaces = NETWORK_INTERFACES): Promise<string> {
  if (name.source === 'fixed') return name.name;
  const suffix = name.source === 'mac' ? await macSuffix(interfaces) : generate(NAME_ALPHABET, NAME_LENGTH);
  return `${name.prefix}-${suffix}`;
}
