import { randomBytes, randomInt } from 'node:crypto';
import { Failure } from '../failures/failure.ts';
import { Secret } from '../secret.ts';
import { networkAddresses } from './networkAddress.ts';

/** How to name the device: a fixed name, or a prefix with a random or hardware suffix. */
export type NameSettings =
  | { readonly source: 'fixed'; readonly name: string }
  | { readonly source: 'random' | 'mac'; readonly prefix: string };

const NAME_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const NAME_LENGTH = 6;
const TOKEN_ALPHABET = `${NAME_ALPHABET}abcdefghijklmnopqrstuvwxyz`;
/** 119 bits, as in ThingsBoard's own tokens (docs/thingsboard.md, section 2). */
const TOKEN_LENGTH = 20;

const generate = (alphabet: string, length: number): string =>
  Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('');

/** Generates an access token with a CSPRNG. */
export const generateToken = (): Secret => new Secret(generate(TOKEN_ALPHABET, TOKEN_LENGTH));

/** Generates the identifier of a run: 64 random bits, unique in a fleet. */
export const generateRunId = (): string => randomBytes(8).toString('hex');

/**
 * The last three bytes, in hexadecimal, of the address of the first physical network interface by name.
 * @throws Failure PROVISION_JSON_INVALID when there is no such interface
 */
export async function macSuffix(folder?: string): Promise<string> {
  const [first] = await networkAddresses(folder);
  if (first === undefined) throw new Failure('PROVISION_JSON_INVALID', 'noInterface', {});
  return first.address.replaceAll(':', '').slice(-6).toUpperCase();
}

/**
 * The device name by the settings: fixed, derived from the hardware, or prefix-XXXXXX with random characters (FR-005).
 * @throws Failure PROVISION_JSON_INVALID
 */
export async function deviceNameFor(name: NameSettings, interfaces?: string): Promise<string> {
  if (name.source === 'fixed') return name.name;
  const suffix = name.source === 'mac' ? await macSuffix(interfaces) : generate(NAME_ALPHABET, NAME_LENGTH);
  return `${name.prefix}-${suffix}`;
}
