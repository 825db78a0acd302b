import type { FailureCode } from '../failures/catalogue.ts';
import { Failure, toFailure } from '../failures/failure.ts';
import { LATE, within } from '../time/within.ts';

export type Verdict = 'passed' | 'warning' | 'failed' | 'skipped';

/** One result of a check. */
export interface Finding {
  readonly verdict: Verdict;
  /** May have several lines. */
  readonly message: string;
  /** What to do next. Only a warning or a failure has a hint. */
  readonly hint?: string;
  /** The code with which `run` would fail. */
  readonly code?: FailureCode;
  readonly exitStatus?: number;
}

/** The findings of a check, and the fact that later checks need. Without the fact those checks are skipped. */
export interface Checked<Fact> {
  readonly findings: readonly Finding[];
  readonly fact?: Fact;
}

export const passed = (message: string): Finding => ({ verdict: 'passed', message });
export const skipped = (message: string): Finding => ({ verdict: 'skipped', message });
export const warning = (message: string, hint: string): Finding => ({ verdict: 'warning', message, hint });

/** The finding for a thrown error. */
export function failed(error: unknown): Finding {
  const { code, message, hint, exitStatus } = toFailure(error);
  return { verdict: 'failed', message, hint, code, exitStatus };
}

/**
 * Runs one check with a time limit, because a network file system may never answer. A thrown error becomes a finding.
 * @param limitMs ms; a check with sockets has its own, shorter limits
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
