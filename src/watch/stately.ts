import { WebSocket } from 'ws';
import { within } from '../time/within.ts';
import { createObserver, type RunInspector } from './observer.ts';

const MAX_QUEUE = 1000;
/** With more unread data than this, nothing more is sent to the receiver. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
const CONNECT_LIMIT_MS = 2000;
const RETRY_MS = 1000;
/** How long the end of a run waits for unsent events. */
const CLOSE_LIMIT_MS = 300;

export interface StatelyOptions {
  /** TCP port on 127.0.0.1. */
  readonly port: number;
  /** Called once with a message for the user: whether the inspector was reached. */
  readonly say?: (text: string) => void;
}

/** The TCP socket must not keep the process alive. ws has no method for this. */
function unref(socket: WebSocket): void {
  socket.on('upgrade', ({ socket: stream }) => stream.unref());
}

/**
 * Sends the events of a run to the Stately inspector's server on this machine. A missing, slow or disconnected receiver
 * never delays the run: unsent events wait in a limited queue, and the oldest are dropped. It has no token of the
 * inspector's page: its socket only sends.
 */
export function inspectWithStately({ port, say = () => {} }: StatelyOptions): RunInspector {
  const queue: string[] = [];
  let socket: WebSocket | undefined;
  let retry: NodeJS.Timeout | undefined;
  let hasSaid = false;
  let closed = false;
  let drained = (): void => {};

  const sayOnce = (text: string): void => {
    if (!hasSaid) say(text);
    hasSaid = true;
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
    // Only loopback, so proxy variables of the environment are ignored. Compression would slow down the run.
    const attempt = new WebSocket(`ws://127.0.0.1:${port}`, {
      handshakeTimeout: CONNECT_LIMIT_MS,
      perMessageDeflate: false,
      maxPayload: 1024 * 1024,
      followRedirects: false,
    });
    unref(attempt);
    socket = attempt;
    attempt.on('open', () => {
      sayOnce(`The Stately inspector on 127.0.0.1:${port} receives this run`);
      flush();
    });
    // After an error comes `close`, which connects again.
    attempt.on('error', () => {
      sayOnce(`No Stately inspector listens on 127.0.0.1:${port}. The run continues without an inspector`);
    });
    attempt.on('close', () => {
      if (closed) return;
      retry = setTimeout(connect, RETRY_MS).unref();
    });
    // Messages from other clients of the server are ignored.
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
      // The observer delivers each event in a later turn of the event loop. Wait for the last events.
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
      // Close first: terminate() would lose the data that the receiver has not read yet.
      socket?.close();
      setTimeout(() => socket?.terminate(), CLOSE_LIMIT_MS).unref();
    },
  };
}
