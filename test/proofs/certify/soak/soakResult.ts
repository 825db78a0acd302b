/** What a soak in a process of its own came to. */
export interface SoakResult {
  readonly runs: number;
  readonly problems: readonly string[];
}
