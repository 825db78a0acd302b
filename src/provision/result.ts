import type { FailureRecord } from '../../machines/provision.types.ts';
import { EXIT } from '../failures/exit.ts';
import { failureFields, type Log } from '../log/log.ts';

/** How one pass over a device folder ended. */
export interface AgentResult {
  readonly outcome: 'nothing' | 'provisioned' | 'withdrawn' | 'failed' | 'interrupted';
  readonly exitStatus: number;
  readonly runId: string | null;
  readonly deviceName: string | null;
  readonly failure: FailureRecord | null;
}

export const failed = (
  failure: FailureRecord,
  runId: string | null,
  deviceName: string | null = null,
): AgentResult => ({
  outcome: 'failed',
  exitStatus: failure.exitStatus,
  runId,
  deviceName,
  failure,
});

export const ended = (
  outcome: 'nothing' | 'provisioned' | 'withdrawn' | 'interrupted',
  runId: string | null,
  deviceName: string | null,
): AgentResult => ({
  outcome,
  exitStatus: outcome === 'interrupted' ? EXIT.TEMPFAIL : EXIT.OK,
  runId,
  deviceName,
  failure: null,
});

export function logFailure(log: Log, failure: FailureRecord): void {
  log.error('run.failed', failure.message, failureFields(failure));
}
