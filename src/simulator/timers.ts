/**
 * Timers that end together with what they belong to, so that nothing fires, or keeps the process alive, afterwards.
 * Waiting for work with a limit is src/time/within.ts.
 */
export class Timers {
  readonly #pending = new Set<NodeJS.Timeout>();
  #stopped = false;

  /** Runs `action` after `ms` milliseconds, unless `stop` comes first. */
  after(ms: number, action: () => void): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#pending.delete(timer);
      action();
    }, ms);
    this.#pending.add(timer);
  }

  /** Settles after `ms` milliseconds; never, once `stop` was called: the work that waits for it is given up. */
  wait(ms: number): Promise<void> {
    if (ms <= 0 && !this.#stopped) return Promise.resolve();
    return new Promise((resolve) => this.after(ms, resolve));
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#pending) clearTimeout(timer);
    this.#pending.clear();
  }
}
