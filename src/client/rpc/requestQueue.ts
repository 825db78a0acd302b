import type { Log } from '../../log/log.ts';
import { RPC_REQUEST_FILTER, RPC_REQUEST_TOPIC, RPC_RESPONSE_TOPIC } from '../../thingsboard/topics.ts';
import type { Clock } from '../../time/clock.ts';
import { LATE, within } from '../../time/within.ts';
import { createRateLimitedWarning } from '../rateLimitedWarning.ts';
import type { ThingsboardSession } from '../thingsboardSession.ts';
import { answerRequest, methodIn } from './answerRequest.ts';
import { type RpcMethods, type RpcResult, refused } from './methods.ts';

/** Requests that wait. Each further one gets no answer: the server closes a session that sends too many messages. */
const MAX_WAITING = 10;
/** ThingsBoard numbers its requests. It closes the session for an answer with another id. */
const REQUEST_ID = /^\d{1,10}$/;

interface Request {
  readonly session: ThingsboardSession;
  readonly id: string;
  readonly payload: Uint8Array;
}

interface RequestQueueOptions {
  readonly methods: RpcMethods;
  readonly log: Log;
  readonly clock: Clock;
  /** Milliseconds for a method. */
  readonly methodMs: number;
}

/** Answers the server's requests, one at a time, beside the telemetry. */
export interface RequestQueue {
  /** Takes the requests of a new session. Never rejects: without requests the telemetry continues. */
  serve(session: ThingsboardSession): Promise<void>;
  /** Resolves when a request has asked for a new run, and its answer has left or can't be sent. Not after `close`. */
  readonly runRequested: Promise<void>;
  /** Takes no further request. */
  close(): void;
}

export function createRequestQueue({ methods, log, clock, methodMs }: RequestQueueOptions): RequestQueue {
  const closing = new AbortController();
  const { signal } = closing;
  let request = (): void => {};
  const runRequested = new Promise<void>((resolve) => {
    request = resolve;
  });
  const warnRefused = createRateLimitedWarning(log, clock, 'rpc.refused');
  const warnUnanswered = createRateLimitedWarning(log, clock, 'rpc.unanswered');
  /** The first one is in work. */
  const requests: Request[] = [];
  let working = false;
  /** A method that has exceeded its time. Another one would wait for the same disk. */
  let overdue = false;

  function take(session: ThingsboardSession, topic: string, payload: Uint8Array): void {
    const id = topic.slice(RPC_REQUEST_TOPIC.length);
    // The server may deliver a message of QoS 1 twice.
    const isKnown = requests.some((one) => one.id === id && one.session === session);
    if (signal.aborted || isKnown) return;
    if (!REQUEST_ID.test(id)) warnRefused('Ignored a request of the server whose id is not a number');
    else if (requests.length > MAX_WAITING) warnRefused(`Ignored a request: ${MAX_WAITING} requests are waiting`);
    else requests.push({ session, id, payload });
    if (!working) void work();
  }

  async function work(): Promise<void> {
    working = true;
    for (let next = requests[0]; next !== undefined; next = requests[0]) {
      await answer(next);
      requests.shift();
    }
    working = false;
  }

  async function resultOf(method: string | undefined): Promise<RpcResult> {
    const message = "The camera can't read or write its files in time";
    const late = refused({
      reason: 'too late',
      message,
      hint: 'Ask again later. If this remains, restart the camera.',
    });
    if (overdue) return late;
    const call = answerRequest(methods, method);
    const result = await within(methodMs, call);
    if (result !== LATE) return result;
    overdue = true;
    void call.then(({ ends }) => {
      overdue = false;
      // provision.txt is there after all.
      if (ends === true) endOperation();
    });
    return late;
  }

  async function answer({ session, id, payload }: Request): Promise<void> {
    const method = methodIn(payload);
    const result = await resultOf(method);
    if (result.refusal !== undefined) warnRefused(`Refused request ${id}: ${result.refusal.message}`);
    try {
      await session.publish(`${RPC_RESPONSE_TOPIC}${id}`, result.answer, signal, true);
      if (result.refusal === undefined) log.debug('rpc.answered', `Answered request ${id} of the server: ${method}`);
    } catch (error) {
      const why = error instanceof Error ? error.message : typeof error;
      if (!signal.aborted) warnUnanswered(`The answer to request ${id} could not be sent: ${why}`);
    }
    if (result.ends === true) endOperation();
  }

  function endOperation(): void {
    if (signal.aborted) return;
    close();
    request();
  }

  function close(): void {
    requests.splice(1);
    closing.abort();
  }

  return {
    runRequested,
    close,
    async serve(session) {
      try {
        await session.subscribe(RPC_REQUEST_FILTER, (topic, payload) => take(session, topic, payload), signal);
      } catch (error) {
        const why = error instanceof Error ? error.message : typeof error;
        if (!signal.aborted) log.warn('rpc.not-subscribed', `The server can't send requests to this camera: ${why}`);
      }
    },
  };
}
