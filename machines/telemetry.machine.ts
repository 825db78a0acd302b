import { assign, fromPromise, setup } from 'xstate';
import type {
  OpenConnection,
  Publication,
  TelemetryContext,
  TelemetryEvent,
  TelemetryFailure,
  TelemetryInput,
} from './telemetry.types.ts';

/** Milliseconds before attempt n + 1 to connect, unspread: 1, 2, 4 s, doubling, at most 60 s. */
export function backoffMs(failuresInARow: number): number {
  return Math.min(60_000, 1000 * 2 ** Math.max(0, failuresInARow - 1));
}

/** Milliseconds between attempts while the server refuses the credentials. */
const REFUSED_PAUSE_MS = 60_000;

const retryDelayMs = (context: TelemetryContext): number =>
  Math.round(backoffMs(context.failuresInARow) * context.spread);

const textOf = (error: object, key: string): string => {
  const value: unknown = Reflect.get(error, key);
  return typeof value === 'string' ? value : '';
};

/** What an effect rejected with: a Failure (src/failures), unless no effect was provided. */
function failureOf(error: unknown): TelemetryFailure {
  if (typeof error !== 'object' || error === null) return { code: 'INTERNAL', message: '', hint: '' };
  return {
    code: textOf(error, 'code') || 'INTERNAL',
    message: textOf(error, 'message'),
    hint: textOf(error, 'hint'),
  };
}

const notProvided = (): Promise<never> => Promise.reject(new Error('effect not provided'));

/**
 * Normal operation: stay connected with the device's credentials and publish the temperatures of the measurement
 * spots at a fixed interval. It never gives up by itself; only STOP ends it.
 */
export const telemetryMachine = setup({
  types: {
    context: {} as TelemetryContext,
    events: {} as TelemetryEvent,
    input: {} as TelemetryInput,
  },
  actors: {
    /** Opens a session; rejects with a failure (CREDENTIALS_REFUSED: the server knows no such token). */
    connect: fromPromise<OpenConnection>(notProvided),
    /** Owns the open session: rejects when it is lost, closes it when the state is left. */
    holdConnection: fromPromise<never>(notProvided),
    /** Measures and publishes once; rejects only when the session is of no more use. */
    publishTelemetry: fromPromise<Publication>(notProvided),
    /** Resolves when no socket is left. */
    disconnect: fromPromise<void>(notProvided),
  },
  guards: {
    credentialsRefused: (_, params: { error: unknown }) => failureOf(params.error).code === 'CREDENTIALS_REFUSED',
  },
  actions: {
    rememberConnection: assign(({ context }, connection: OpenConnection) => ({
      intervalMs: connection.intervalMs,
      connections: context.connections + 1,
    })),
    countPublication: assign(({ context }, publication: Publication) => ({
      elapsedMs: publication.elapsedMs,
      messages: context.messages + publication.messages,
    })),
    countFailure: assign(({ context }, params: { error: unknown }) => ({
      failuresInARow: context.failuresInARow + 1,
      lastFailure: failureOf(params.error),
    })),
    forgetFailures: assign({ failuresInARow: 0, lastFailure: null }),
    reportConnected: (_, _connection: OpenConnection) => {},
    reportPublication: () => {},
    reportRetry: (_, _retry: { failure: TelemetryFailure | null; delayMs: number }) => {},
    reportRefused: (_, _refusal: { failure: TelemetryFailure | null; delayMs: number }) => {},
  },
  delays: {
    backoff: ({ context }) => retryDelayMs(context),
    refusedPause: REFUSED_PAUSE_MS,
    restOfInterval: ({ context }) => Math.max(0, context.intervalMs - context.elapsedMs),
    settleTime: 60_000,
    stopLimit: 1_000,
  },
}).createMachine({
  id: 'telemetry',
  description: 'Keeps a device connected to ThingsBoard and publishes the temperatures of its measurement spots.',
  context: ({ input }) => ({
    spread: input.spread,
    intervalMs: 15_000,
    elapsedMs: 0,
    failuresInARow: 0,
    connections: 0,
    messages: 0,
    lastFailure: null,
  }),
  initial: 'connecting',
  on: { STOP: '.stopping' },
  states: {
    connecting: {
      description: 'The configuration is read afresh and a session is opened with its access token.',
      invoke: {
        src: 'connect',
        onDone: {
          target: 'publishing',
          actions: [
            { type: 'rememberConnection', params: ({ event }) => event.output },
            { type: 'reportConnected', params: ({ event }) => event.output },
          ],
        },
        onError: [
          {
            guard: { type: 'credentialsRefused', params: ({ event }) => ({ error: event.error }) },
            target: 'refused',
            actions: { type: 'countFailure', params: ({ event }) => ({ error: event.error }) },
          },
          {
            target: 'waiting',
            actions: { type: 'countFailure', params: ({ event }) => ({ error: event.error }) },
          },
        ],
      },
    },
    publishing: {
      description: 'Connected. A session that lasts long enough clears the record of earlier failures.',
      invoke: {
        src: 'holdConnection',
        onError: {
          target: 'waiting',
          actions: { type: 'countFailure', params: ({ event }) => ({ error: event.error }) },
        },
      },
      after: { settleTime: { actions: 'forgetFailures' } },
      initial: 'sending',
      states: {
        sending: {
          description: 'The enabled spots are measured and published; a reading that fails is left out.',
          invoke: {
            src: 'publishTelemetry',
            onDone: {
              target: 'pausing',
              actions: [{ type: 'countPublication', params: ({ event }) => event.output }, 'reportPublication'],
            },
            onError: {
              target: '#telemetry.waiting',
              actions: { type: 'countFailure', params: ({ event }) => ({ error: event.error }) },
            },
          },
        },
        pausing: {
          description: 'Nothing to do until the interval, counted from the start of the last publication, is over.',
          after: { restOfInterval: 'sending' },
        },
      },
    },
    waiting: {
      description: 'Not connected. The pause doubles with each failure in a row, up to one minute, without an end.',
      entry: {
        type: 'reportRetry',
        params: ({ context }) => ({ failure: context.lastFailure, delayMs: retryDelayMs(context) }),
      },
      after: { backoff: 'connecting' },
    },
    refused: {
      description: 'The server refuses the access token: an operator must act, so it is tried again at a slow pace.',
      entry: {
        type: 'reportRefused',
        params: ({ context }) => ({ failure: context.lastFailure, delayMs: REFUSED_PAUSE_MS }),
      },
      after: { refusedPause: 'connecting' },
    },
    stopping: {
      description: 'The session is being closed, for a limited time.',
      on: { STOP: {} },
      invoke: { src: 'disconnect', onDone: 'stopped', onError: 'stopped' },
      after: { stopLimit: 'stopped' },
    },
    stopped: {
      description: 'Ended on request; no socket is left.',
      type: 'final',
    },
  },
});
