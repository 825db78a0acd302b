import { createHash } from 'node:crypto';

const MASK = '[secret]';
/** util.inspect.custom, by the name that Node documents for code that does without node:util. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * A value that can't be printed by accident: string conversion, JSON, util.inspect and template literals all give
 * “[secret]”. Only `reveal()` gives the value, so each place that needs it can be found by that word.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself: for the wire and for the two files that must hold it, nowhere else. */
  reveal(): string {
    return this.#value;
  }

  /** Eight hexadecimal digits of its SHA-256: tells two values apart, tells nothing of the value. */
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
