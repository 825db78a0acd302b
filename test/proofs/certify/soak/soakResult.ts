/** Result of a soak in its own process. */
export interface SoakResult {
  readonly runs: number;
  readonly problems: readonly string[];
}
