import { createHash } from 'node:crypto';

/** The environment variables that hold a secret. Programs that the agent starts must not inherit them. */
export const SECRET_VARIABLES = ['THERMAL_DEVICE_KEY', 'THERMAL_DEVICE_SECRET'] as const;

/** The variables that name a proxy, and perhaps its password: the first one that is set counts. */
export const PROXY_VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'] as const;

const MASK = '[secret]';
/** util.inspect.custom, by its documented name, so that node:util is not imported. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * A value that can't be printed by accident: string conversion, JSON, util.inspect and template literals all give
 * "[secret]". Only `reveal()` returns the value, so a search for that word finds every use.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself: only for the network and for the files that must hold it. */
  reveal(): string {
    return this.#value;
  }

  /** Eight hexadecimal digits of the SHA-256: distinguishes two values without revealing them. */
  fingerprint(): string {
    return createHash('sha256').update(this.#value).digest('hex').slice(0, 8);
  }

  equals(other: Secret): boolean {
    return this.#value === other.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [INSPECT](): string {
    return MASK;
  }
}
