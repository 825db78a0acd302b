/** What every suite of the certificate is given, and what it returns. */

import type { Part } from './part.ts';

export interface SuiteOptions {
  /** Everything there is, instead of what fits into CI's time. */
  readonly full: boolean;
  /** dist/main.js of the build under test; the self-tests put in builds with one protection removed. */
  readonly agent: string;
  /** A folder of the suite's own, empty; removed afterwards. */
  readonly scratch: string;
  /** How many processes may run at once. */
  readonly workers: number;
  /** Of everything that is drawn at random; printed, so that a run can be repeated. */
  readonly seed: number;
  /** Absent: all of it. */
  readonly part?: Part | undefined;
  progress(done: number, total: number): void;
}

export interface SuiteResult {
  /** Distinct points at which something was done to the agent: calls, packet boundaries, states. */
  readonly points: number;
  /** Trials: a point may be tried in several scenarios. */
  readonly runs: number;
  /** Faults that really fired; a trial whose fault did not fire is a violation. 0 for suites without faults. */
  readonly faults: number;
  /** One line each, with what is needed to repeat it. */
  readonly violations: readonly string[];
  /** Why the suite could not be run here; then everything else is 0. */
  readonly skipped?: string;
  /** What the certificate lists besides. */
  readonly table?: Table;
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Suite {
  /** Stable, as in `npm run certify -- --only NAME`. */
  readonly name: string;
  /** One sentence for the certificate. */
  readonly shows: string;
  run(options: SuiteOptions): Promise<SuiteResult>;
}
