/** A limit as ThingsBoard writes it: so many messages in so many seconds. */
export interface RateLimit {
  readonly messages: number;
  readonly seconds: number;
}

/** Counts messages in a sliding window. */
export class RateLimiter {
  readonly #limit: RateLimit | undefined;
  #times: number[] = [];

  constructor(limit: RateLimit | undefined) {
    this.#limit = limit;
  }

  /** Counts one message. @returns whether it exceeds the limit */
  exceeds(now = performance.now()): boolean {
    if (this.#limit === undefined) return false;
    const { messages, seconds } = this.#limit;
    this.#times = this.#times.filter((time) => time > now - seconds * 1000);
    if (this.#times.length >= messages) return true;
    this.#times.push(now);
    return false;
  }
}
