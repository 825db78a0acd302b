import { randomBytes, randomInt } from 'node:crypto';
import { Secret } from '../secret.ts';

const TOKEN_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz';
/** 119 bits, as in ThingsBoard's own tokens (docs/thingsboard.md, section 2). */
const TOKEN_LENGTH = 20;

/** Generates an access token with a CSPRNG. */
export const generateToken = (): Secret =>
  new Secret(
    Array.from({ length: TOKEN_LENGTH }, () => TOKEN_ALPHABET.charAt(randomInt(TOKEN_ALPHABET.length))).join(''),
  );

/** Generates the identifier of a run: 64 random bits, unique in a fleet. */
export const generateRunId = (): string => randomBytes(8).toString('hex');
