import { assertEvent, assign, fromPromise, setup } from 'xstate';
import { PROVISION_POLICY } from './provision.policy.ts';
import { type ProvisionState, stepsDone } from './provision.states.ts';
import type {
  ChartFailure,
  EffectContracts,
  EffectError,
  EffectName,
  FailureRecord,
  ProvisionContext,
  ProvisionEvent,
  ProvisionInput,
  TriggerIdentity,
} from './provision.types.ts';

const POLICY = PROVISION_POLICY;
const pauseBefore = (attempt: number): number =>
  Math.min(POLICY.longestPauseMs, POLICY.firstPauseMs * 2 ** (attempt - 1));

/** A contract that `provide()` must fill: the compiler checks every effect against it. */
const effect = <Name extends EffectName>() =>
  fromPromise<EffectContracts[Name]['output'], EffectContracts[Name]['input']>(() =>
    Promise.reject(new Error('effect not provided')),
  );

const isEffectError = (error: unknown): error is EffectError =>
  typeof error === 'object' && error !== null && 'failure' in error && 'at' in error;

/** The failure that an effect has reported with an event; undefined: there is none. */
const reportedFailure = (event: ProvisionEvent): FailureRecord | undefined => {
  if ('output' in event && 'failure' in event.output) return event.output.failure;
  return 'error' in event && isEffectError(event.error) ? event.error.failure : undefined;
};

/** As reportedFailure; an effect that failed without a report is a defect of the agent. */
const failureIn = (event: ProvisionEvent): FailureRecord | ChartFailure =>
  reportedFailure(event) ?? { code: 'INTERNAL', situation: 'effect', facts: { event: event.type } };

const timeOf = (event: ProvisionEvent, context: ProvisionContext): number => {
  if ('at' in event) return event.at;
  if ('output' in event) return event.output.at;
  return 'error' in event && isEffectError(event.error) ? event.error.at : context.now;
};

/**
 * By its time alone, unlike `isSameTrigger` in src/device/trigger.ts: this one compares across a restart, and some file
 * systems (FAT, network folders) give a file another inode number when they are mounted again.
 */
const sameTrigger = (a: TriggerIdentity | null, b: TriggerIdentity | null): boolean =>
  a !== null && b !== null && a.mtimeNs === b.mtimeNs;

const nameTaken = (context: ProvisionContext): ChartFailure => {
  const facts = { server: context.settings?.server.host ?? '?', name: context.deviceName ?? '?' };
  const unanswered = context.unknownAt !== null;
  if (context.settings?.nameSource === 'random') {
    const situation = unanswered ? 'perhapsOurs' : 'allNames';
    return { code: 'PROVISIONING_REFUSED', situation, facts: { ...facts, others: context.nameIndex - 1 } };
  }
  if (context.previousDeviceId === facts.name) return { code: 'DEVICE_NAME_TAKEN', situation: 'ownName', facts };
  return { code: 'DEVICE_NAME_TAKEN', situation: unanswered ? 'perhapsOurs' : 'taken', facts };
};

const timeUp = ({ lastFailure }: ProvisionContext): ChartFailure =>
  lastFailure === null
    ? { code: 'RUN_TIME_LIMIT', situation: 'tooLong', facts: {} }
    : {
        code: 'RUN_TIME_LIMIT',
        situation: 'afterTrouble',
        facts: { trouble: lastFailure.message, advice: lastFailure.hint },
      };

/**
 * How one camera becomes exactly one device on ThingsBoard. The steps: detect → validate → prepare → request →
 * verifyCredentials → backup → write → finalize; `backoff` waits, `reconcile` finds out what an unanswered request
 * did. Effects of the same names lie in src/effects/. `{ state, context }` is persisted; RESUME goes on from there.
 */
export const provisionMachine = setup({
  types: {
    context: {} as ProvisionContext,
    events: {} as ProvisionEvent,
    input: {} as ProvisionInput,
  },
  actors: {
    detect: effect<'detect'>(),
    validate: effect<'validate'>(),
    prepare: effect<'prepare'>(),
    request: effect<'request'>(),
    reconcile: effect<'reconcile'>(),
    verifyCredentials: effect<'verifyCredentials'>(),
    backup: effect<'backup'>(),
    write: effect<'write'>(),
    restore: effect<'restore'>(),
    finalize: effect<'finalize'>(),
  },
  delays: {
    /** The deadline is stored; the clock may have jumped by years since, so it is never waited for longer than once. */
    untilRetry: ({ context }) =>
      Math.min(POLICY.longestPauseMs, Math.max(0, (context.retryAt ?? context.now) - context.now)),
  },
  guards: {
    // detect
    isRequested: ({ event }) => event.type === 'xstate.done.actor.detect' && event.output.trigger !== null,
    isUnfinished: ({ event }) => event.type === 'xstate.done.actor.detect' && event.output.unfinished,
    // route
    isIssued: ({ context }) => context.granted !== null,
    mustReconcile: ({ context }) =>
      context.lastAnswer === 'failure' || (!context.probed && (context.requestsOut > 0 || context.nameIndex > 1)),
    // request
    answeredSuccess: ({ event }) => event.type === 'xstate.done.actor.request' && event.output.outcome === 'granted',
    answeredFailure: ({ event }) => event.type === 'xstate.done.actor.request' && event.output.outcome === 'failure',
    // reconcile
    isAccepted: ({ event }) => event.type === 'xstate.done.actor.reconcile' && event.output.outcome === 'accepted',
    mustProbeAgain: ({ context, event }) =>
      context.lastAnswer === 'failure' &&
      (context.refusedProbes + 1 < POLICY.probesAfterFailure ||
        (context.unknownAt !== null && timeOf(event, context) < context.unknownAt + POLICY.quietTimeMs)),
    mayGenerateAnotherName: ({ context }) =>
      context.lastAnswer === 'failure' &&
      context.settings?.nameSource === 'random' &&
      context.nameIndex < POLICY.maxNames,
    isNameTaken: ({ context }) => context.lastAnswer === 'failure',
    outcomeIsUnknown: ({ context }) => context.lastAnswer === 'unknown',
    unknownTooOften: ({ context }) =>
      context.lastAnswer === 'unknown' && context.retries >= (context.settings?.maxRetries ?? 0),
    // verifyCredentials
    isProven: ({ event }) => event.type === 'xstate.done.actor.verifyCredentials' && event.output.outcome === 'proven',
    refusedForGood: ({ context }) => context.refusedVerifications + 1 >= POLICY.maxVerifications,
    // write
    hasChanged: ({ event }) => event.type === 'xstate.done.actor.write' && event.output.outcome === 'changed',
    changedTooOften: ({ context, event }) =>
      event.type === 'xstate.done.actor.write' &&
      event.output.outcome === 'changed' &&
      context.writeRounds + 1 >= POLICY.maxWriteRounds,
    isUnusable: ({ event }) => event.type === 'xstate.done.actor.write' && event.output.outcome === 'unusable',
    // failures
    mayRetry: ({ context, event }) =>
      reportedFailure(event)?.retryable === true && context.retries < (context.settings?.maxRetries ?? 0),
    settingsChanged: ({ event }) => failureIn(event).code === 'SETTINGS_CHANGED',
    settingsChangedInTime: ({ context, event }) =>
      failureIn(event).code === 'SETTINGS_CHANGED' &&
      // A second change is for the agent to count: otherwise this could go round for ever.
      !context.startedOver &&
      context.granted === null &&
      context.nameIndex === 1 &&
      // The request that noticed it was counted on entry, but has not left.
      context.requestsOut - (event.type === 'xstate.error.actor.request' ? 1 : 0) === 0,
    // RESUME
    mayResume: ({ context, event }) =>
      event.type === 'RESUME' &&
      context.resumes < POLICY.maxResumes &&
      (context.settings === null || event.settingsDigest === null || event.settingsDigest === context.settings.digest),
    mayFinish: ({ context }) => context.resumes < POLICY.maxResumes,
    resumedTooOften: ({ context }) => context.resumes >= POLICY.maxResumes,
    nothingSent: ({ context }) => context.granted === null && context.nameIndex === 1 && context.requestsOut === 0,
  },
  actions: {
    /** Progress refills the budgets for retries and resumes; nothing else does. */
    reach: assign(({ context }, { state }: { state: ProvisionState }) => {
      const done = stepsDone(state) ?? 0;
      return done > context.furthestStep ? { furthestStep: done, retries: 0, resumes: 0 } : {};
    }),
    /** When it happened, and what the operator should know of it. */
    noteEvent: assign({
      now: ({ context, event }) => timeOf(event, context),
      warnings: ({ context, event }) => {
        const warnings = 'output' in event ? (event.output.warnings ?? []) : [];
        return [...context.warnings, ...warnings.filter((warning) => !context.warnings.includes(warning))].slice(
          -POLICY.maxWarnings,
        );
      },
    }),
    recordTrigger: assign(({ event }) => {
      assertEvent(event, 'xstate.done.actor.detect');
      return { trigger: event.output.trigger };
    }),
    recordSettings: assign(({ event }) => {
      assertEvent(event, 'xstate.done.actor.validate');
      const { settings, previousDeviceId, newestBackupAt } = event.output;
      return { settings, previousDeviceId, newestBackupAt };
    }),
    recordCandidate: assign(({ context, event }) => {
      assertEvent(event, 'xstate.done.actor.prepare');
      const { nameIndex, deviceName, fingerprint, granted, reused, at } = event.output;
      const mayHaveLeft = reused && context.requestsOut === 0;
      return {
        nameIndex,
        deviceName,
        fingerprint,
        granted,
        ...(mayHaveLeft ? { requestsOut: 1, unknownAt: at } : {}),
      };
    }),
    /** Counted before it leaves: once this is durable, the request may be out, whatever becomes of us. */
    countRequest: assign({
      requestsOut: ({ context }) => context.requestsOut + 1,
      lastAnswer: 'none',
      probed: false,
    }),
    /** A request that failed did not leave, or was refused; one failure alone comes after the server's SUCCESS. */
    uncountRequest: assign(({ context, event }) =>
      failureIn(event).code === 'CREDENTIALS_TYPE_UNSUPPORTED'
        ? {}
        : { requestsOut: Math.max(0, context.requestsOut - 1) },
    ),
    noteFailureAnswer: assign({ lastAnswer: 'failure', refusedProbes: 0 }),
    noteUnknownOutcome: assign(({ context, event }) => ({
      lastAnswer: 'unknown' as const,
      unknownAt: timeOf(event, context),
      lastFailure: reportedFailure(event) ?? null,
    })),
    recordIssued: assign(({ event }) => {
      assertEvent(event, ['xstate.done.actor.request', 'xstate.done.actor.reconcile']);
      return { granted: event.output.issued };
    }),
    noteRefusedProbe: assign({ probed: true, refusedProbes: ({ context }) => context.refusedProbes + 1 }),
    generateAnotherName: assign({
      nameIndex: ({ context }) => context.nameIndex + 1,
      requestsOut: 0,
      unknownAt: null,
      lastAnswer: 'none',
      probed: false,
      refusedProbes: 0,
    }),
    failNameTaken: assign({ error: ({ context }) => nameTaken(context) }),
    recordProof: assign(({ context, event }) => {
      assertEvent(event, 'xstate.done.actor.verifyCredentials');
      if (event.output.outcome !== 'proven' || context.settings === null) return {};
      const { by, server, issued = context.granted } = event.output;
      return { provenBy: by, granted: issued, settings: { ...context.settings, server } };
    }),
    noteRefusedVerification: assign(({ context, event }) => ({
      refusedVerifications: context.refusedVerifications + 1,
      lastFailure: reportedFailure(event) ?? null,
    })),
    /** Stamps always increase, also when the clock went back. */
    nameBackup: assign(({ context, event }) => {
      const at = Math.max(timeOf(event, context), (context.newestBackupAt ?? 0) + 1);
      const stamp = new Date(at).toISOString().replaceAll(/[-:]/g, '');
      return { backupName: `thermal_config.json.backup.${stamp}`, newestBackupAt: at };
    }),
    recordBackup: assign(({ event }) => {
      assertEvent(event, 'xstate.done.actor.backup');
      return { backup: event.output.name };
    }),
    countWriteRound: assign({ writeRounds: ({ context }) => context.writeRounds + 1 }),
    failKeepsChanging: assign({
      error: () => ({
        code: 'CONFIG_KEEPS_CHANGING' as const,
        situation: 'duringRun' as const,
        facts: { times: POLICY.maxWriteRounds },
      }),
    }),
    failNotWritten: assign({
      error: () => ({ code: 'CONFIG_NOT_WRITTEN' as const, situation: 'backupPutBack' as const, facts: {} }),
    }),
    scheduleRetry: assign(({ context, event }) => {
      const retries = context.retries + 1;
      const pause = { retries, retryAt: timeOf(event, context) + pauseBefore(retries), waitingFor: 'retry' as const };
      // The probe after an unknown outcome was refused. It is charged once, however often the pause is interrupted.
      if (context.lastAnswer === 'unknown' && 'output' in event) return { ...pause, lastAnswer: 'none' as const };
      return { ...pause, lastFailure: reportedFailure(event) ?? null };
    }),
    scheduleProbe: assign(({ context, event }) => {
      const at = timeOf(event, context);
      const spaced = at + pauseBefore(Math.min(context.refusedProbes, POLICY.probesAfterFailure - 1));
      const stillProbing = context.refusedProbes < POLICY.probesAfterFailure || context.unknownAt === null;
      const quiet = stillProbing ? 0 : context.unknownAt + POLICY.quietTimeMs;
      return { retryAt: Math.max(spaced, quiet), waitingFor: 'probe' as const };
    }),
    scheduleVerification: assign(({ context, event }) => ({
      retryAt: timeOf(event, context) + pauseBefore(context.refusedVerifications),
      waitingFor: 'verification' as const,
    })),
    endPause: assign({ retryAt: null, waitingFor: null, now: ({ context }) => context.retryAt ?? context.now }),
    fail: assign({ error: ({ event }) => failureIn(event) }),
    failUnanswered: assign({ error: ({ context, event }) => context.lastFailure ?? failureIn(event) }),
    failResumeLoop: assign({
      error: ({ context }) => ({
        code: 'RESUME_LOOP' as const,
        situation: 'noProgress' as const,
        facts: { resumes: context.resumes },
      }),
    }),
    failTimeUp: assign({ error: ({ context }) => timeUp(context) }),
    noteResume: assign(({ context, event }) => {
      assertEvent(event, 'RESUME');
      return {
        resumes: context.resumes + 1,
        now: event.at,
        probed: false,
        // How long the device was off can't be told from its clock: the quiet time starts again. A request that was
        // answered FAILURE, with none of unknown outcome before it, needs none.
        unknownAt:
          context.requestsOut === 0 || (context.lastAnswer === 'failure' && context.unknownAt === null)
            ? null
            : event.at,
      };
    }),
    updateTrigger: assign(({ event }) => {
      assertEvent(event, 'RESUME');
      return { trigger: event.trigger };
    }),
    /** At the end of a run only the file that started the run may be renamed. */
    updateSameTrigger: assign(({ context, event }) => {
      assertEvent(event, 'RESUME');
      return sameTrigger(context.trigger, event.trigger) ? { trigger: event.trigger } : {};
    }),
    startOver: assign({
      settings: null,
      deviceName: null,
      fingerprint: null,
      requestsOut: 0,
      retryAt: null,
      waitingFor: null,
      // Another server, perhaps: what the former one cost says nothing of it.
      retries: 0,
      startedOver: true,
    }),
  },
}).createMachine({
  id: 'provision',
  description: 'Registers this camera with ThingsBoard and writes its credentials, exactly once.',
  initial: 'detect',
  context: ({ input }) => ({
    runId: input.runId,
    startedAt: input.at,
    now: input.at,
    trigger: null,
    settings: null,
    previousDeviceId: null,
    newestBackupAt: null,
    nameIndex: 1,
    deviceName: null,
    fingerprint: null,
    requestsOut: 0,
    lastAnswer: 'none',
    unknownAt: null,
    probed: false,
    refusedProbes: 0,
    retries: 0,
    retryAt: null,
    waitingFor: null,
    lastFailure: null,
    granted: null,
    refusedVerifications: 0,
    provenBy: null,
    backupName: null,
    backup: null,
    writeRounds: 0,
    furthestStep: 0,
    resumes: 0,
    startedOver: false,
    warnings: [],
    error: null,
  }),
  on: {
    RESUME: [
      { guard: 'resumedTooOften', target: '.failed', actions: 'failResumeLoop' },
      { guard: 'nothingSent', target: '.validate', actions: ['noteResume', 'updateTrigger', 'startOver'] },
      { target: '.superseded', actions: 'noteEvent' },
    ],
    TIME_UP: { target: '.failed', actions: ['noteEvent', 'failTimeUp'] },
  },
  states: {
    detect: {
      description: 'Is provision.txt there? What did earlier runs leave?',
      invoke: {
        id: 'detect',
        src: 'detect',
        input: () => ({}),
        onDone: [
          { guard: 'isRequested', target: 'validate', actions: ['noteEvent', 'recordTrigger'] },
          { guard: 'isUnfinished', target: 'withdrawn', actions: 'noteEvent' },
          { target: 'notRequested', actions: 'noteEvent' },
        ],
        onError: { target: 'failed', actions: ['noteEvent', 'fail'] },
      },
      on: { RESUME: { guard: 'mayResume', target: 'detect', reenter: true, actions: 'noteResume' } },
    },
    validate: {
      description: 'Everything that could make the write fail later is checked before the server hears of us.',
      entry: { type: 'reach', params: { state: 'validate' } },
      invoke: {
        id: 'validate',
        src: 'validate',
        input: () => ({}),
        onDone: { target: 'prepare', actions: ['noteEvent', 'recordSettings'] },
        onError: { target: 'failed', actions: ['noteEvent', 'fail'] },
      },
      on: {
        RESUME: { guard: 'mayResume', target: 'validate', reenter: true, actions: ['noteResume', 'updateTrigger'] },
      },
    },
    prepare: {
      description: 'Name and access token are drawn, or taken up again, and stored durably.',
      entry: { type: 'reach', params: { state: 'prepare' } },
      invoke: {
        id: 'prepare',
        src: 'prepare',
        input: ({ context }) => ({
          runId: context.runId,
          settingsDigest: context.settings?.digest ?? '',
          nameIndex: context.nameIndex,
          startedOver: context.startedOver,
        }),
        onDone: { target: 'route', actions: ['noteEvent', 'recordCandidate'] },
        onError: [
          { guard: 'settingsChangedInTime', target: 'validate', actions: ['noteEvent', 'startOver'] },
          { guard: 'settingsChanged', target: 'superseded', actions: 'noteEvent' },
          { target: 'failed', actions: ['noteEvent', 'fail'] },
        ],
      },
      on: {
        RESUME: { guard: 'mayResume', target: 'prepare', reenter: true, actions: ['noteResume', 'updateTrigger'] },
      },
    },
    route: {
      description: 'Where to go on: what is known of the requests that have left decides.',
      always: [
        { guard: 'isIssued', target: 'verifyCredentials' },
        { guard: 'mustReconcile', target: 'reconcile' },
        { target: 'request' },
      ],
    },
    request: {
      description: 'One exchange with the server: this name, this token, please.',
      entry: [{ type: 'reach', params: { state: 'request' } }, 'countRequest'],
      invoke: {
        id: 'request',
        src: 'request',
        input: ({ context }) => ({
          runId: context.runId,
          settingsDigest: context.settings?.digest ?? '',
          nameIndex: context.nameIndex,
        }),
        onDone: [
          {
            guard: 'answeredSuccess',
            target: 'verifyCredentials',
            actions: ['noteEvent', 'recordIssued'],
          },
          { guard: 'answeredFailure', target: 'reconcile', actions: ['noteEvent', 'noteFailureAnswer'] },
          { target: 'reconcile', actions: ['noteEvent', 'noteUnknownOutcome'] },
        ],
        onError: [
          { guard: 'settingsChangedInTime', target: 'validate', actions: ['noteEvent', 'startOver'] },
          { guard: 'settingsChanged', target: 'superseded', actions: 'noteEvent' },
          { guard: 'mayRetry', target: 'backoff', actions: ['noteEvent', 'uncountRequest', 'scheduleRetry'] },
          { target: 'failed', actions: ['noteEvent', 'uncountRequest', 'fail'] },
        ],
      },
      on: { RESUME: { guard: 'mayResume', target: 'route', actions: ['noteResume', 'updateTrigger'] } },
    },
    backoff: {
      description: 'A pause of 1, 2, 4 s … up to a stored deadline, before another try.',
      after: { untilRetry: { target: 'route', actions: 'endPause' } },
      on: {
        RESUME: { guard: 'mayResume', target: 'backoff', reenter: true, actions: ['noteResume', 'updateTrigger'] },
      },
    },
    reconcile: {
      description: 'Did an earlier request succeed after all? Only a server that knows our token can tell.',
      entry: { type: 'reach', params: { state: 'reconcile' } },
      invoke: {
        id: 'reconcile',
        src: 'reconcile',
        input: ({ context }) => ({
          settingsDigest: context.settings?.digest ?? '',
          nameIndex: context.nameIndex,
          includeCurrent: context.requestsOut > 0,
        }),
        onDone: [
          { guard: 'isAccepted', target: 'verifyCredentials', actions: ['noteEvent', 'recordIssued'] },
          {
            guard: 'mustProbeAgain',
            target: 'backoff',
            actions: ['noteEvent', 'noteRefusedProbe', 'scheduleProbe'],
          },
          { guard: 'mayGenerateAnotherName', target: 'prepare', actions: ['noteEvent', 'generateAnotherName'] },
          { guard: 'isNameTaken', target: 'failed', actions: ['noteEvent', 'failNameTaken'] },
          { guard: 'unknownTooOften', target: 'failed', actions: ['noteEvent', 'failUnanswered'] },
          {
            guard: 'outcomeIsUnknown',
            target: 'backoff',
            actions: ['noteEvent', 'noteRefusedProbe', 'scheduleRetry'],
          },
          { target: 'request', actions: ['noteEvent', 'noteRefusedProbe'] },
        ],
        onError: [
          { guard: 'settingsChanged', target: 'superseded', actions: 'noteEvent' },
          { guard: 'mayRetry', target: 'backoff', actions: ['noteEvent', 'scheduleRetry'] },
          { target: 'failed', actions: ['noteEvent', 'fail'] },
        ],
      },
      on: {
        RESUME: { guard: 'mayResume', target: 'reconcile', reenter: true, actions: ['noteResume', 'updateTrigger'] },
      },
    },
    verifyCredentials: {
      description: 'The new credentials are proven by a connection of their own before anything is changed (FR-012).',
      entry: { type: 'reach', params: { state: 'verifyCredentials' } },
      invoke: {
        id: 'verifyCredentials',
        src: 'verifyCredentials',
        input: ({ context }) => ({
          settingsDigest: context.settings?.digest ?? '',
          successSeen: context.granted?.successSeen ?? false,
        }),
        onDone: [
          {
            guard: 'isProven',
            target: 'backup',
            actions: ['noteEvent', 'recordProof', 'nameBackup'],
          },
          { guard: 'refusedForGood', target: 'failed', actions: ['noteEvent', 'fail'] },
          { target: 'backoff', actions: ['noteEvent', 'noteRefusedVerification', 'scheduleVerification'] },
        ],
        onError: [
          { guard: 'settingsChanged', target: 'superseded', actions: 'noteEvent' },
          { guard: 'mayRetry', target: 'backoff', actions: ['noteEvent', 'scheduleRetry'] },
          { target: 'failed', actions: ['noteEvent', 'fail'] },
        ],
      },
      on: {
        RESUME: {
          guard: 'mayResume',
          target: 'verifyCredentials',
          reenter: true,
          actions: ['noteResume', 'updateTrigger'],
        },
      },
    },
    backup: {
      description: 'A timestamped copy of thermal_config.json, durable before anything is written (FR-007).',
      entry: { type: 'reach', params: { state: 'backup' } },
      invoke: {
        id: 'backup',
        src: 'backup',
        input: ({ context }) => ({ name: context.backupName ?? '' }),
        onDone: { target: 'write', actions: ['noteEvent', 'recordBackup'] },
        onError: { target: 'failed', actions: ['noteEvent', 'fail'] },
      },
      on: { RESUME: { guard: 'mayResume', target: 'backup', reenter: true, actions: ['noteResume', 'updateTrigger'] } },
    },
    write: {
      description: 'The credentials go into thermal_config.json by one durable, atomic replacement, read back after.',
      entry: { type: 'reach', params: { state: 'write' } },
      invoke: {
        id: 'write',
        src: 'write',
        input: ({ context }) => ({
          runId: context.runId,
          server: context.settings?.server ?? { host: '', port: 0, useSsl: false, caFile: null },
          deviceName: context.granted?.deviceName ?? '',
          backup: context.backup,
        }),
        onDone: [
          { guard: 'changedTooOften', target: 'failed', actions: ['noteEvent', 'failKeepsChanging'] },
          {
            guard: 'hasChanged',
            target: 'backup',
            actions: ['noteEvent', 'countWriteRound', 'nameBackup'],
          },
          { guard: 'isUnusable', target: 'restore', actions: 'noteEvent' },
          { target: 'finalize', actions: 'noteEvent' },
        ],
        onError: { target: 'failed', actions: ['noteEvent', 'fail'] },
      },
      on: { RESUME: { guard: 'mayResume', target: 'write', reenter: true, actions: ['noteResume', 'updateTrigger'] } },
    },
    restore: {
      description: 'What was written can’t be used: the backup is put back, durably.',
      invoke: {
        id: 'restore',
        src: 'restore',
        input: ({ context }) => ({ backup: context.backup }),
        onDone: { target: 'failed', actions: ['noteEvent', 'failNotWritten'] },
        onError: { target: 'failed', actions: ['noteEvent', 'fail'] },
      },
      on: { RESUME: { guard: 'mayFinish', target: 'restore', reenter: true, actions: 'noteResume' } },
    },
    finalize: {
      description: 'provision.txt becomes provision.txt.processed (FR-008).',
      entry: { type: 'reach', params: { state: 'finalize' } },
      invoke: {
        id: 'finalize',
        src: 'finalize',
        input: ({ context }) => ({ trigger: context.trigger }),
        onDone: { target: 'provisioned', actions: 'noteEvent' },
        onError: { target: 'failed', actions: ['noteEvent', 'fail'] },
      },
      on: {
        RESUME: { guard: 'mayFinish', target: 'finalize', reenter: true, actions: ['noteResume', 'updateSameTrigger'] },
      },
    },
    provisioned: {
      type: 'final',
      description: 'One device on the server, its credentials in thermal_config.json.',
      entry: { type: 'reach', params: { state: 'provisioned' } },
    },
    notRequested: { type: 'final', description: 'No provision.txt: nothing to do.' },
    withdrawn: {
      type: 'final',
      description: 'provision.txt was removed before the run had ended: nothing more is sent.',
    },
    superseded: {
      type: 'final',
      description: 'provision.json changed after a request may have left: a new run takes over.',
    },
    failed: { type: 'final', description: 'The error says why and what to do; the old configuration still works.' },
  },
});
