import * as z from 'zod/mini';
import { PROVISION_POLICY } from '../../machines/provision.policy.ts';
import { PROVISION_STATES } from '../../machines/provision.states.ts';
import type { FailureRecord, ProvisionContext } from '../../machines/provision.types.ts';

/**
 * snapshot.json: a later boot resumes from it, and operators read it. It holds the chart's `{ state, context }` and, for
 * people, a history and the last error. It never holds a secret, because the context has none.
 */
export const SNAPSHOT_FORMAT = 'thermal-provision-snapshot';
export const SNAPSHOT_VERSION = 1;
export const MAX_HISTORY = 100;

const text = z.string().check(z.maxLength(2000));
/** For messages and hints: they contain paths of up to 4096 characters, and list every problem of a file. */
const sentence = z.string().check(z.maxLength(20_000));
const time = z.int();
// Lazy, here and below: most runs find no snapshot, and building the schemas takes longer than reading one.
const failureSchema = z.lazy(() =>
  z.object({
    code: text,
    message: sentence,
    hint: sentence,
    retryable: z.boolean(),
    exitStatus: z.int().check(z.gte(0), z.lte(199)),
    causes: z.array(text).check(z.maxLength(10)),
  }),
);

/** The chart's context as it is stored and shown: its failure has message and hint. */
export type RecordedContext = Omit<ProvisionContext, 'error'> & { readonly error: FailureRecord | null };

const contextSchema: z.ZodMiniType<RecordedContext> = z.lazy(() =>
  z.object({
    runId: text.check(z.minLength(1)),
    startedAt: time,
    now: time,
    trigger: z.nullable(z.object({ inode: text, mtimeNs: text })),
    settings: z.nullable(
      z.object({
        digest: text,
        server: z.object({ host: text, port: z.int(), useSsl: z.boolean(), caFile: z.nullable(text) }),
        nameSource: z.enum(['fixed', 'random', 'mac', 'serial', 'machine-id', 'hostname', 'command', 'template']),
        maxRetries: z.int().check(z.gte(0), z.lte(10)),
        timeoutSeconds: z.number().check(z.gte(1), z.lte(300)),
        derived: z.optional(z.literal(true)),
      }),
    ),
    knownStrategy: z._default(z.nullable(z.object({ digest: text, strategy: z.enum(['creates', 'checks']) })), null),
    previousDeviceId: z.nullable(text),
    newestBackupAt: z.nullable(time),
    nameIndex: z.int().check(z.gte(1), z.lte(PROVISION_POLICY.maxNames)),
    deviceName: z.nullable(text),
    fingerprint: z.nullable(text),
    requestsOut: z.int().check(z.gte(0)),
    lastAnswer: z.enum(['none', 'failure', 'unknown']),
    unknownAt: z.nullable(time),
    probed: z.boolean(),
    refusedProbes: z.int().check(z.gte(0)),
    retries: z.int().check(z.gte(0)),
    // Version 1.0.0 has only the common count, so the next pause is a first one again.
    requestRetries: z._default(z.int().check(z.gte(0)), 0),
    probeRetries: z._default(z.int().check(z.gte(0)), 0),
    retryAt: z.nullable(time),
    waitingFor: z.nullable(z.enum(['retry', 'probe', 'verification'])),
    lastFailure: z.nullable(failureSchema),
    granted: z.nullable(z.object({ deviceName: text, fingerprint: text, successSeen: z.boolean() })),
    refusedVerifications: z.int().check(z.gte(0)),
    provenBy: z.nullable(z.enum(['attributes', 'connack'])),
    backupName: z.nullable(text),
    backup: z.nullable(text),
    writeRounds: z.int().check(z.gte(0)),
    furthestStep: z.int().check(z.gte(0)),
    resumes: z.int().check(z.gte(0)),
    startedOver: z.boolean(),
    warnings: z.array(sentence).check(z.maxLength(50)),
    error: z.nullable(failureSchema),
  }),
);

const historyEntrySchema = z.lazy(() =>
  z.object({
    state: z.enum(PROVISION_STATES),
    enteredAt: text,
    /** Whole milliseconds, measured monotonically. null: the state has not ended, or the run was killed in it. */
    durationMs: z.nullable(z.int().check(z.gte(0))),
    /** Number of this try of the state within the run, from 1. */
    attempt: z.int().check(z.gte(1)),
    /** True when the state was entered again by RESUME. */
    resumed: z.boolean(),
  }),
);
export type HistoryEntry = z.infer<typeof historyEntrySchema>;

export const snapshotSchema = z.lazy(() =>
  z.object({
    format: z.literal(SNAPSHOT_FORMAT),
    version: z.literal(SNAPSHOT_VERSION),
    agentVersion: text,
    runId: text.check(z.minLength(1)),
    /** Counts the states recorded in this folder. A copy with a higher number is newer. */
    seq: z.int().check(z.gte(0)),
    savedAt: text,
    startedAt: text,
    state: z.enum(PROVISION_STATES),
    status: z.enum(['pending', 'in-progress', 'completed', 'failed']),
    /** The current try: 1, and one more for each retry. */
    attempt: z.int().check(z.gte(1)),
    maxAttempts: z.int().check(z.gte(1)),
    context: contextSchema,
    history: z.array(historyEntrySchema).check(z.maxLength(MAX_HISTORY)),
    error: z.nullable(z.object({ code: text, message: sentence, hint: sentence })),
  }),
);
export type SnapshotDocument = z.infer<typeof snapshotSchema>;
