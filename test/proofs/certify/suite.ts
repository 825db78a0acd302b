/** Options and results of the certificate's suites. */

import type { Part } from './part.ts';

export interface SuiteOptions {
  /** Whether all points are tried, instead of a selection that fits into CI's time. */
  readonly full: boolean;
  /** main.js of the build under test. The self-tests use builds with one protection removed. */
  readonly agent: string;
  /** An empty folder for the suite; removed afterwards. */
  readonly scratch: string;
  /** Number of processes at the same time. */
  readonly workers: number;
  /** Seed of everything random; printed, so that a run can be repeated. */
  readonly seed: number;
  /** Absent: the whole suite. */
  readonly part?: Part | undefined;
  progress(done: number, total: number): void;
}

export interface SuiteResult {
  /** Number of distinct points with a fault: calls, packet boundaries, states. */
  readonly points: number;
  /** Number of trials. A point may be tried in several scenarios. */
  readonly runs: number;
  /** Number of faults that struck; 0 for suites without faults. A fault that does not strike is a violation. */
  readonly faults: number;
  /** One line for each violation, with the text for repeating it. */
  readonly violations: readonly string[];
  /** Why the suite could not run here; then all counts are 0. */
  readonly skipped?: string;
  /** An additional table of the certificate. */
  readonly table?: Table;
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Suite {
  /** A stable name: `npm run certify -- --only NAME`. */
  readonly name: string;
  /** One sentence for the certificate. */
  readonly shows: string;
  run(options: SuiteOptions): Promise<SuiteResult>;
}
