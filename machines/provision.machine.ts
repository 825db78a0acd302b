import { assertEvent, assign, fromPromise, setup } from 'xstate';
import type { ChartFailure } from './provision.failures.ts';
import { PROVISION_POLICY } from './provision.policy.ts';
import { type ProvisionState, stepsDone } from './provision.states.ts';
import type {
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

/** Probes that must be refused before a refused name counts as taken. */
const probesNeeded = ({ nameIndex, unknownAt }: ProvisionContext): number =>
  nameIndex > 1 && unknownAt === null ? POLICY.probesAfterLaterFailure : POLICY.probesAfterFailure;

/** A placeholder that `provide()` must replace: the compiler checks every effect against its contract. */
const effect = <Name extends EffectName>() =>
  fromPromise<EffectContracts[Name]['output'], EffectContracts[Name]['input']>(() =>
    Promise.reject(new Error('effect not provided')),
  );

const NO_RETRIES = { retries: 0, requestRetries: 0, probeRetries: 0 } as const;

const isEffectError = (error: unknown): error is EffectError =>
  typeof error === 'object' && error !== null && 'failure' in error && 'at' in error;

/** The failure that an effect reported with this event. undefined: none. */
const reportedFailure = (event: ProvisionEvent): FailureRecord | undefined => {
  if ('output' in event && 'failure' in event.output) return event.output.failure;
  return 'error' in event && isEffectError(event.error) ? event.error.failure : undefined;
};

/** Like reportedFailure. An effect that failed without a report is a defect of the agent. */
const failureIn = (event: ProvisionEvent): FailureRecord | ChartFailure =>
  reportedFailure(event) ?? { code: 'INTERNAL', situation: 'effect', facts: { event: event.type } };

const timeOf = (event: ProvisionEvent, context: ProvisionContext): number => {
  if ('at' in event) return event.at;
  if ('output' in event) return event.output.at;
  return 'error' in event && isEffectError(event.error) ? event.error.at : context.now;
};

/**
 * Compares the time alone, unlike `isSameTrigger` in src/device/trigger.ts. This function compares across a restart,
 * and some file systems (FAT, network folders) change inode numbers when they are mounted again.
 */
const sameTrigger = (a: TriggerIdentity | null, b: TriggerIdentity | null): boolean =>
  a !== null && b !== null && a.mtimeNs === b.mtimeNs;

/** The camera is configured as this device, so an earlier run may have seen how the server handles the name. */
const ownName = ({ knownStrategy, settings }: ProvisionContext): 'ownName' | 'ownNameCreates' | 'ownNameChecks' => {
  if (knownStrategy === null || knownStrategy.digest !== settings?.digest) return 'ownName';
  return knownStrategy.strategy === 'creates' ? 'ownNameCreates' : 'ownNameChecks';
};

const nameTaken = (context: ProvisionContext): ChartFailure => {
  const facts = { server: context.settings?.server.host ?? '?', name: context.deviceName ?? '?' };
  const unanswered = context.unknownAt !== null;
  if (context.settings?.derived === true) return { code: 'DEVICE_NAME_TAKEN', situation: 'otherSecret', facts };
  if (context.settings?.nameSource === 'random') {
    const situation = unanswered ? 'perhapsOurs' : 'allNames';
    return { code: 'PROVISIONING_REFUSED', situation, facts: { ...facts, others: context.nameIndex - 1 } };
  }
  if (context.previousDeviceId === facts.name) {
    return { code: 'DEVICE_NAME_TAKEN', situation: unanswered ? 'ownNamePerhapsOurs' : ownName(context), facts };
  }
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
 * Registers one camera as exactly one device on ThingsBoard. The steps: detect → validate → prepare → request →
 * verifyCredentials → backup → write → finalize. `backoff` waits. `reconcile` asks whether an unanswered request
 * succeeded. src/effects/ has an effect for each state. `{ state, context }` is persisted, and RESUME resumes from it.
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
    /** The stored deadline is a wall-clock time, and the clock may have jumped by years. So the wait has a limit. */
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
      (context.refusedProbes + 1 < probesNeeded(context) ||
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
      // The agent counts further changes. Without this the chart could loop for ever.
      !context.startedOver &&
      context.granted === null &&
      context.nameIndex === 1 &&
      // The request that noticed the change was counted on entry, but was not sent.
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
    /** Progress resets the budgets for retries and resumes. Nothing else does. */
    reach: assign(({ context }, { state }: { state: ProvisionState }) => {
      const done = stepsDone(state) ?? 0;
      return done > context.furthestStep ? { furthestStep: done, resumes: 0, ...NO_RETRIES } : {};
    }),
    /** Records the time of the event and its warnings. */
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
      const { nameIndex, deviceName, fingerprint, granted, reused, answered, derived, at } = event.output;
      const mayHaveLeft = reused && context.requestsOut === 0;
      return {
        nameIndex,
        deviceName,
        fingerprint,
        granted,
        ...(derived && context.settings !== null ? { settings: { ...context.settings, derived } } : {}),
        ...(mayHaveLeft ? { requestsOut: 1, unknownAt: answered ? null : at } : {}),
      };
    }),
    /** Counted before the request is sent: the agent may be killed right after sending it. */
    countRequest: assign({
      requestsOut: ({ context }) => context.requestsOut + 1,
      lastAnswer: 'none',
      probed: false,
    }),
    /** A failed request was not sent, or was refused. Only these two failures follow the server's SUCCESS. */
    uncountRequest: assign(({ context, event }) =>
      ['CREDENTIALS_TYPE_UNSUPPORTED', 'CLIENT_KEY_UNUSABLE'].includes(failureIn(event).code)
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
    /** The server has answered, so it is back: the next pause before a probe is short again. */
    noteRefusedProbe: assign({
      probed: true,
      refusedProbes: ({ context }) => context.refusedProbes + 1,
      probeRetries: 0,
    }),
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
    /** Stamps always increase, even when the clock was set back. */
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
    /** Every retry uses up the same budget. The pauses grow separately for requests, probes and verifications. */
    scheduleRetry: assign(({ context, event }) => {
      const retries = context.retries + 1;
      const waitingFor = 'retry' as const;
      if (event.type === 'xstate.error.actor.verifyCredentials') {
        const retryAt = timeOf(event, context) + pauseBefore(retries);
        return { retries, retryAt, waitingFor, lastFailure: reportedFailure(event) ?? null };
      }
      if (event.type === 'xstate.error.actor.reconcile') {
        const probeRetries = context.probeRetries + 1;
        const retryAt = timeOf(event, context) + pauseBefore(probeRetries);
        return { retries, probeRetries, retryAt, waitingFor, lastFailure: reportedFailure(event) ?? null };
      }
      const requestRetries = context.requestRetries + 1;
      const pause = { retries, requestRetries, waitingFor };
      const retryAt = timeOf(event, context) + pauseBefore(requestRetries);
      // The probe after an unknown outcome was refused. Clearing lastAnswer charges the retry only once.
      if ('output' in event) return { ...pause, retryAt, lastAnswer: 'none' as const };
      return { ...pause, retryAt, lastFailure: reportedFailure(event) ?? null };
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
        // The clock can't tell how long the device was off, so the quiet time starts again.
        unknownAt: context.unknownAt === null ? null : event.at,
      };
    }),
    /** The run stopped while a request was under way. */
    noteLostRequest: assign({ unknownAt: ({ context, event }) => timeOf(event, context) }),
    updateTrigger: assign(({ event }) => {
      assertEvent(event, 'RESUME');
      return { trigger: event.trigger };
    }),
    /** At the end of a run only the provision.txt that started the run may be renamed. */
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
      // The new settings may name another server, so the retries of the previous one do not count.
      ...NO_RETRIES,
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
    knownStrategy: input.knownStrategy,
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
    ...NO_RETRIES,
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
      description: 'Looks for provision.txt, and for an unfinished earlier run.',
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
      description: 'Checks everything that could make the run fail later, before the first contact with the server.',
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
      description: 'Generates name and access token, or reuses the stored ones, and stores them durably.',
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
      description: 'Chooses the next state by the requests that may have been sent.',
      always: [
        { guard: 'isIssued', target: 'verifyCredentials' },
        { guard: 'mustReconcile', target: 'reconcile' },
        { target: 'request' },
      ],
    },
    request: {
      description: 'Asks the server to register the device with this name and this token.',
      entry: [{ type: 'reach', params: { state: 'request' } }, 'countRequest'],
      invoke: {
        id: 'request',
        src: 'request',
        input: ({ context }) => ({
          runId: context.runId,
          settingsDigest: context.settings?.digest ?? '',
          nameIndex: context.nameIndex,
          unanswered: context.unknownAt !== null,
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
      on: {
        RESUME: { guard: 'mayResume', target: 'route', actions: ['noteResume', 'noteLostRequest', 'updateTrigger'] },
      },
    },
    backoff: {
      description: 'Waits 1, 2, 4 s … until a stored deadline, before the next try.',
      after: { untilRetry: { target: 'route', actions: 'endPause' } },
      on: {
        RESUME: { guard: 'mayResume', target: 'backoff', reenter: true, actions: ['noteResume', 'updateTrigger'] },
      },
    },
    reconcile: {
      description: 'Asks the server, with the generated token, whether an earlier request succeeded.',
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
      description: 'Tests the new credentials with a separate connection before anything is changed (FR-012).',
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
      description: 'Makes a durable, timestamped copy of thermal_config.json before the file is changed (FR-007).',
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
      description: 'Writes the credentials into thermal_config.json, durably and atomically, and reads them back.',
      entry: { type: 'reach', params: { state: 'write' } },
      invoke: {
        id: 'write',
        src: 'write',
        input: ({ context }) => ({
          runId: context.runId,
          server: context.settings?.server ?? { host: '', port: 0, useSsl: false, caFile: null },
          deviceName: context.granted?.deviceName ?? '',
          fingerprint: context.granted?.fingerprint ?? '',
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
      description: 'Puts the backup back durably, because the written thermal_config.json is not usable.',
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
      description: 'Renames provision.txt to provision.txt.processed (FR-008).',
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
      description: 'The server has one device, and thermal_config.json has its credentials.',
      entry: { type: 'reach', params: { state: 'provisioned' } },
    },
    notRequested: { type: 'final', description: 'There is no provision.txt: nothing to do.' },
    withdrawn: {
      type: 'final',
      description: 'provision.txt was removed before the run ended: nothing more is sent.',
    },
    superseded: {
      type: 'final',
      description: 'provision.json changed after a request may have been sent: a new run starts.',
    },
    failed: { type: 'final', description: 'The error says why and what to do. The old configuration still works.' },
  },
});
