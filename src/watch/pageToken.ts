import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const TOKEN_BYTES = 18;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** A random part of a page's address. A reader who does not know the address can't read the page. */
export interface PageToken {
  /** Letters, digits, `-` and `_`. */
  readonly text: string;
  /** Compares in constant time. */
  matches(given: string): boolean;
}

/** Generates a token of 144 random bits. */
export function createPageToken(): PageToken {
  const text = randomBytes(TOKEN_BYTES).toString('base64url');
  const expected = digest(text);
  // Digests always have the same length, as timingSafeEqual needs.
  return { text, matches: (given) => timingSafeEqual(digest(given), expected) };
}
