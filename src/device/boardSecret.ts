/**
 * A secret that outlives the card: from fuses, a TPM, or a credential of systemd (docs/security.md). Loaded only where
 * one is set.
 */

import { hkdfSync } from 'node:crypto';
import { resolve } from 'node:path';
import { Failure } from '../failures/failure.ts';
import { readLimited } from '../files/readLimited.ts';
import { Secret } from '../secret.ts';
import { type DrawCredential, TOKEN_ALPHABET, TOKEN_LENGTH } from './candidate.ts';

/** 128 bits. */
const MIN_BYTES = 16;
const MAX_BYTES = 4096;

/** The file that holds the board secret, and the setting that names it. */
export interface BoardSecretFile {
  readonly path: string;
  readonly from: 'provisioning.board_secret_file' | 'THERMAL_BOARD_SECRET_FILE';
}

const WHY_UNREADABLE = {
  absent: 'there is no such file',
  'not-a-file': 'it is not a plain file',
  'too-large': `it has more than ${MAX_BYTES} bytes`,
  'not-permitted': "the agent's user may not read it",
  unreadable: 'reading it failed',
} as const;

/**
 * Reads the board secret: the bytes of the file as they are, with a line break at its end.
 * @param deviceFolder the folder that a relative path starts from
 * @throws Failure BOARD_SECRET_UNUSABLE
 */
export async function readBoardSecret({ path, from }: BoardSecretFile, deviceFolder: string): Promise<Buffer> {
  const file = resolve(deviceFolder, path);
  const unusable = (why: string, cause?: unknown): Failure =>
    new Failure('BOARD_SECRET_UNUSABLE', 'file', { path: file, from, why }, cause);
  const read = await readLimited(file, MAX_BYTES);
  if (!read.ok) throw unusable(WHY_UNREADABLE[read.problem], read.cause);
  const { bytes } = read;
  if (bytes.length < MIN_BYTES) throw unusable(`it has ${bytes.length} bytes, and ${MIN_BYTES} are needed`);
  // Fuses that were never written read as all zeros or all ones.
  if (bytes.every((byte) => byte === bytes[0])) throw unusable('all its bytes are alike, as in fuses never written');
  return bytes;
}

/** More bits than the token has, so that its characters are equally probable: 256 for 119. */
const DERIVED_BYTES = 32;

/** What the board secret is bound to, so that each device and each server has its own credentials. */
export interface Binding {
  readonly host: string;
  readonly deviceKey: Secret;
  readonly deviceName: string;
  /** `provisioning.token_generation`, from 1. */
  readonly generation: number;
}

/**
 * Derives credentials from the board secret with HKDF-SHA-256 (RFC 5869). The same secret and binding always give the
 * same credentials (docs/security.md). This derivation must never change: devices in the field depend on it.
 * @param boardSecret the bytes of the board secret
 */
export function drawDerived(boardSecret: Uint8Array, binding: Binding): DrawCredential {
  return (what) => {
    const { host, deviceKey, deviceName, generation } = binding;
    const info = JSON.stringify([what, host.toLowerCase(), deviceKey.reveal(), deviceName, generation]);
    const bytes = hkdfSync('sha256', boardSecret, 'thermal-provision', info, DERIVED_BYTES);
    let number = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
    let text = '';
    while (text.length < TOKEN_LENGTH) {
      text += TOKEN_ALPHABET.charAt(Number(number % BigInt(TOKEN_ALPHABET.length)));
      number /= BigInt(TOKEN_ALPHABET.length);
    }
    return new Secret(text);
  };
}
