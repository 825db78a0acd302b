import { setTimeout as delay } from 'node:timers/promises';

const LIMIT_MS = 30_000;
const PAUSE_MS = 150;

/**
 * Looks again and again until there is something: the server shows devices, attributes and telemetry a moment late.
 * @param what the expected thing, for the error message
 * @throws after the limit, 30 s by default
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  limitMs: number = LIMIT_MS,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`Not seen within ${limitMs / 1000} s: ${what}`);
    await delay(PAUSE_MS);
  }
}
