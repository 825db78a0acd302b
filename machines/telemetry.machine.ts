import { assign, fromPromise, setup } from 'xstate';
import type {
  OpenConnection,
  Publication,
  TelemetryContext,
  TelemetryEvent,
  TelemetryFailure,
  TelemetryInput,
} from './telemetry.types.ts';

/** Pause before the next attempt to connect, in ms, before spreading: 1, 2, 4 s and so on, at most 60 s. */
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

/** The failure that an effect rejected with (src/failures). INTERNAL: the effect was not provided. */
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
 * Normal operation: stays connected with the device's credentials and publishes the temperatures of the measurement
 * spots at a fixed interval. Only STOP and a request of the server for a new device end it.
 */
export const telemetryMachine = setup({
  types: {
    context: {} as TelemetryContext,
    events: {} as TelemetryEvent,
    input: {} as TelemetryInput,
  },
  actors: {
    /** Opens a session. Rejects with a failure (CREDENTIALS_REFUSED: the server does not know the token). */
    connect: fromPromise<OpenConnection>(notProvided),
    /** Owns the open session. Rejects when the session is lost, closes it when the chart leaves the state. */
    holdConnection: fromPromise<never>(notProvided),
    /** Measures and publishes once. Rejects only when the session is no longer usable. */
    publishTelemetry: fromPromise<Publication>(notProvided),
    /** Answers the server's requests, in every session. Resolves after one for a new device. Default: there are none. */
    answerRequests: fromPromise<void>(() => new Promise(() => {})),
    /** Closes the session. Resolves when no socket is open. */
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
    rememberRunRequest: assign({ runRequested: true }),
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
    runRequested: false,
  }),
  initial: 'connecting',
  invoke: {
    id: 'requests',
    src: 'answerRequests',
    onDone: { target: '.stopping', actions: 'rememberRunRequest' },
  },
  on: { STOP: '.stopping' },
  states: {
    connecting: {
      description: 'Reads the configuration again and opens a session with its access token.',
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
      description: 'Connected. After a minute the earlier failures are forgotten.',
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
          description: 'Measures and publishes the enabled spots. A reading that fails is left out.',
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
          description: 'Waits for the rest of the interval, which began with the last publication.',
          after: { restOfInterval: 'sending' },
        },
      },
    },
    waiting: {
      description: 'Not connected. The pause doubles with each failure in a row, up to one minute. Retries never end.',
      entry: {
        type: 'reportRetry',
        params: ({ context }) => ({ failure: context.lastFailure, delayMs: retryDelayMs(context) }),
      },
      after: { backoff: 'connecting' },
    },
    refused: {
      description: 'The server refuses the access token. An operator must act, so retries are slow.',
      entry: {
        type: 'reportRefused',
        params: ({ context }) => ({ failure: context.lastFailure, delayMs: REFUSED_PAUSE_MS }),
      },
      after: { refusedPause: 'connecting' },
    },
    stopping: {
      description: 'Closes the session, within a time limit.',
      on: { STOP: {} },
      invoke: { src: 'disconnect', onDone: 'stopped', onError: 'stopped' },
      after: { stopLimit: 'stopped' },
    },
    stopped: {
      description: 'Ended on request. No socket is open.',
      type: 'final',
    },
  },
});
