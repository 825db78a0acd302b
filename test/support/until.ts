import { setTimeout as delay } from 'node:timers/promises';

const LIMIT_MS = 5000;
const PAUSE_MS = 5;

/**
 * Polls until `look` finds something, at most 5 s. @returns what `look` found
 * @param what the expected thing, for the error message
 */
export async function until<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  what = 'the expected',
): Promise<T> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`Waited ${LIMIT_MS / 1000} s for ${what}, without success`);
    await delay(PAUSE_MS);
  }
}
