import * as z from 'zod';
import type { ProvisionContext } from '../../machines/provision.types.ts';
import { FAILURES, type FailureCode } from '../failure.ts';

/**
 * snapshot.json: what a later boot resumes from and what operators read. It holds the chart's `{ state, context }`
 * and, for people, a history and the last error. Never a secret: the context has none.
 */
export const SNAPSHOT_FORMAT = 'thermal-provision-snapshot';
export const SNAPSHOT_VERSION = 1;
export const MAX_HISTORY = 100;

export const ACTIVE_STATES = [
  'detect',
  'validate',
  'prepare',
  'request',
  'backoff',
  'reconcile',
  'verifyCredentials',
  'backup',
  'write',
  'restore',
  'finalize',
] as const;
export const FINAL_STATES = ['provisioned', 'notRequested', 'withdrawn', 'superseded', 'failed'] as const;
export type ProvisionState = (typeof ACTIVE_STATES)[number] | (typeof FINAL_STATES)[number];
export type RunStatus = 'pending' | 'in-progress' | 'completed' | 'failed';

const text = z.string().max(2000);
/** Messages and hints name files, whose paths may have 4096 characters each, and list every problem of a file. */
const sentence = z.string().max(20_000);
const time = z.int();
const failureSchema = z.object({
  code: text,
  message: sentence,
  hint: sentence,
  retryable: z.boolean(),
  exitStatus: z.int().min(0).max(199),
  causes: z.array(text).max(10),
});

const contextSchema: z.ZodType<ProvisionContext> = z.object({
  runId: text.min(1),
  startedAt: time,
  now: time,
  trigger: z.object({ inode: text, mtimeNs: text }).nullable(),
  settings: z
    .object({
      digest: text,
      server: z.object({ host: text, port: z.int(), useSsl: z.boolean(), caFile: text.nullable() }),
      nameSource: z.enum(['fixed', 'random', 'mac']),
      maxRetries: z.int().min(0).max(10),
      timeoutSeconds: z.number().min(1).max(300),
    })
    .nullable(),
  previousDeviceId: text.nullable(),
  newestBackupAt: time.nullable(),
  nameIndex: z.int().min(1).max(3),
  deviceName: text.nullable(),
  fingerprint: text.nullable(),
  requestsOut: z.int().min(0),
  lastAnswer: z.enum(['none', 'failure', 'unknown']),
  unknownAt: time.nullable(),
  probed: z.boolean(),
  refusedProbes: z.int().min(0),
  retries: z.int().min(0),
  retryAt: time.nullable(),
  waitingFor: z.enum(['retry', 'probe', 'verification']).nullable(),
  lastFailure: failureSchema.nullable(),
  granted: z.object({ deviceName: text, fingerprint: text, successSeen: z.boolean() }).nullable(),
  refusedVerifications: z.int().min(0),
  provenBy: z.enum(['attributes', 'connack']).nullable(),
  backupName: text.nullable(),
  backup: text.nullable(),
  writeRounds: z.int().min(0),
  furthestStep: z.int().min(0),
  resumes: z.int().min(0),
  startedOver: z.boolean(),
  warnings: z.array(sentence).max(50),
  error: failureSchema.nullable(),
});

const historyEntrySchema = z.object({
  state: z.enum([...ACTIVE_STATES, ...FINAL_STATES]),
  enteredAt: text,
  /** Whole milliseconds, measured monotonically; null while the state lasts, or when the run was cut in it. */
  durationMs: z.int().min(0).nullable(),
  /** Which try of this state it was in this run, from 1. */
  attempt: z.int().min(1),
  /** True when the state was entered again by RESUME. */
  resumed: z.boolean(),
});
export type HistoryEntry = z.infer<typeof historyEntrySchema>;

export const snapshotSchema = z.object({
  format: z.literal(SNAPSHOT_FORMAT),
  version: z.literal(SNAPSHOT_VERSION),
  agentVersion: text,
  runId: text.min(1),
  /** Counts the states recorded in this folder: a copy with a higher one is newer. */
  seq: z.int().min(0),
  savedAt: text,
  startedAt: text,
  state: z.enum([...ACTIVE_STATES, ...FINAL_STATES]),
  status: z.enum(['pending', 'in-progress', 'completed', 'failed']),
  /** The try that runs: 1, then one more for each retry. */
  attempt: z.int().min(1),
  maxAttempts: z.int().min(1),
  context: contextSchema,
  history: z.array(historyEntrySchema).max(MAX_HISTORY),
  error: z.object({ code: text, message: sentence, hint: sentence }).nullable(),
});
export type SnapshotDocument = z.infer<typeof snapshotSchema>;

export const isFinalState = (state: ProvisionState): boolean => FINAL_STATES.some((final) => final === state);

export const isFailureCode = (code: string): code is FailureCode => Object.hasOwn(FAILURES, code);

/** What the state means for somebody who only wants to know whether all is well. */
export function statusOf(state: ProvisionState): RunStatus {
  switch (state) {
    case 'detect':
      return 'pending';
    case 'provisioned':
    case 'notRequested':
    case 'withdrawn':
      return 'completed';
    case 'failed':
    case 'superseded':
      return 'failed';
    default:
      return 'in-progress';
  }
}
