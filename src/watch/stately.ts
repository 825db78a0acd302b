import { WebSocket } from 'ws';
import { within } from '../time/within.ts';
import { createObserver, type RunInspector } from './observer.ts';

/** Where the Stately inspector's server listens when it is told nothing else. */
export const STATELY_PORT = 8080;
const MAX_QUEUE = 1000;
/** What a receiver may leave unread before nothing more is sent to it. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
const CONNECT_LIMIT_MS = 2000;
const RETRY_MS = 1000;
/** How long the end of a run waits for what is still to be sent. */
const CLOSE_LIMIT_MS = 300;

export interface StatelyOptions {
  /** TCP port on 127.0.0.1. */
  readonly port?: number;
  /** Told once, when it is known how things stand: for the person who watches. */
  readonly say?: (text: string) => void;
}

/** The socket beneath must not keep the process alive; ws has no method for it. */
function unref(socket: WebSocket): void {
  socket.on('upgrade', ({ socket: stream }) => stream.unref());
}

/**
 * Sends what a run does to the Stately inspector's server on this machine. Nobody listening, a receiver that does not
 * read and one that goes away cost the run nothing: what can't be sent waits in a limited queue, the oldest is dropped.
 */
export function inspectWithStately({ port = STATELY_PORT, say = () => {} }: StatelyOptions = {}): RunInspector {
  const queue: string[] = [];
  let socket: WebSocket | undefined;
  let retry: NodeJS.Timeout | undefined;
  let told = false;
  let closed = false;
  let drained = (): void => {};

  const tellOnce = (text: string): void => {
    if (!told) say(text);
    told = true;
  };

  const flush = (): void => {
    const open = socket;
    if (open?.readyState !== WebSocket.OPEN) return;
    while (queue.length > 0 && open.bufferedAmount < MAX_UNSENT_BYTES) {
      open.send(queue.shift() ?? '', () => {
        flush();
        if (queue.length === 0 && open.bufferedAmount === 0) drained();
      });
    }
  };

  const connect = (): void => {
    // Loopback only, whatever the environment says; compression would hold up the run's own thread.
    const attempt = new WebSocket(`ws://127.0.0.1:${port}`, {
      handshakeTimeout: CONNECT_LIMIT_MS,
      perMessageDeflate: false,
      maxPayload: 1024 * 1024,
      followRedirects: false,
    });
    unref(attempt);
    socket = attempt;
    attempt.on('open', () => {
      tellOnce(`The Stately inspector at http://127.0.0.1:${port} shows this run`);
      flush();
    });
    // A server that refuses is tried again; its reasons are its own.
    attempt.on('error', () => {
      tellOnce(`No Stately inspector listens on 127.0.0.1:${port}; the run goes on without`);
    });
    attempt.on('close', () => {
      if (closed) return;
      retry = setTimeout(connect, RETRY_MS).unref();
    });
    // What the server's other clients send is none of ours.
    attempt.on('message', () => {});
  };
  connect();

  return {
    observe: createObserver((event) => {
      queue.push(JSON.stringify(event));
      if (queue.length > MAX_QUEUE) queue.shift();
      flush();
    }),
    async close() {
      // The observer passes events on in turns of their own: this one comes after those that are on their way.
      await new Promise((resolve) => setTimeout(resolve, 0));
      const reachable = socket !== undefined && socket.readyState <= WebSocket.OPEN;
      if (reachable && (queue.length > 0 || (socket?.bufferedAmount ?? 0) > 0)) {
        const sent = new Promise<void>((resolve) => {
          drained = resolve;
        });
        flush();
        await within(CLOSE_LIMIT_MS, sent);
      }
      closed = true;
      clearTimeout(retry);
      // Asked first: what the receiver has not read yet would be lost to a connection that is cut.
      socket?.close();
      setTimeout(() => socket?.terminate(), CLOSE_LIMIT_MS).unref();
    },
  };
}
