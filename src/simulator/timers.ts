/**
 * Timers that are stopped together with their owner. After `stop` no timer fires or keeps the process alive. For
 * waiting with a time limit see src/time/within.ts.
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

  /** Resolves after `ms` milliseconds. After `stop` it never resolves: the waiting work is abandoned. */
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
