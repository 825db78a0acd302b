import type { FailureCode } from '../failures/catalogue.ts';
import { Failure, toFailure } from '../failures/failure.ts';
import { LATE, within } from '../time/within.ts';

export type Verdict = 'passed' | 'warning' | 'failed' | 'skipped';

/** One thing that a check has found out. */
export interface Finding {
  readonly verdict: Verdict;
  /** May have several lines. */
  readonly message: string;
  /** What to do next; with a warning or a failure only. */
  readonly hint?: string;
  /** What `run` would fail with. */
  readonly code?: FailureCode;
  readonly exitStatus?: number;
}

/** What a check has found, and what the checks behind it work with; no fact: those are skipped. */
export interface Checked<Fact> {
  readonly findings: readonly Finding[];
  readonly fact?: Fact;
}

export const passed = (message: string): Finding => ({ verdict: 'passed', message });
export const skipped = (message: string): Finding => ({ verdict: 'skipped', message });
export const warning = (message: string, hint: string): Finding => ({ verdict: 'warning', message, hint });

/** The finding that something thrown amounts to. */
export function failed(error: unknown): Finding {
  const { code, message, hint, exitStatus } = toFailure(error);
  return { verdict: 'failed', message, hint, code, exitStatus };
}

/**
 * Runs one check: whatever it throws is what it has found, and it can't take longer than its limit (a network file
 * system may never answer).
 * @param limitMs ms; a check with sockets has shorter limits of its own
 */
export async function settle<Fact>(check: () => Promise<Checked<Fact>>, limitMs: number): Promise<Checked<Fact>> {
  try {
    const checked = await within(limitMs, check());
    if (checked !== LATE) return checked;
    throw new Failure('DISK_ERROR', 'checkTooSlow', { seconds: limitMs / 1000 });
  } catch (error) {
    return { findings: [failed(error)] };
  }
}
