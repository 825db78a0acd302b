import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Failure } from '../failures/failure.ts';
import type { Page } from '../report/page.ts';
import { within } from '../time/within.ts';
import { createPageToken } from './pageToken.ts';

const ADDRESS = '127.0.0.1';
const MAX_CONNECTIONS = 32;
/** A reader with more unread data than this is disconnected. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;
const CLOSE_LIMIT_MS = 300;
const WRONG_ADDRESS = 'Not the address of this page. Open the address that thermal-provision has printed, all of it';

export interface LocalSite {
  /** The page at the server's address. */
  readonly page: (query: URLSearchParams) => Page;
  /** The first event for a reader of `events`; absent: `events` does not exist. */
  readonly first?: () => string;
}

export interface LocalServer {
  /** Contains a random token. Without the token the server sends nothing of the page. */
  readonly url: string;
  /** Whether a reader is connected to `events`. */
  readonly watched: () => boolean;
  /** Sends an event to all readers. @param event its name; default: a message */
  send(data: string, event?: string): void;
  /** Closes the server. Waits a moment until the readers have received everything. */
  close(): Promise<void>;
}

/**
 * Serves a page on 127.0.0.1, at a port that the system chooses. Other users of this machine can connect to the port,
 * so the path begins with a random token. The server refuses a foreign Host header: a web site could let its own name
 * resolve to 127.0.0.1.
 * @param keepAlive whether the server keeps the process alive
 * @throws Failure INTERNAL if the server can't listen
 */
export async function serveLocally(site: LocalSite, keepAlive: boolean): Promise<LocalServer> {
  const readers = new Set<ServerResponse>();
  const token = createPageToken();
  let hosts: readonly string[] = [];

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => {});
    const { pathname, searchParams } = new URL(`http://${ADDRESS}${request.url ?? '/'}`);
    const [, given = '', ...rest] = pathname.split('/');
    const name = rest.length === 0 ? undefined : rest.join('/');
    // Browsers ask for an icon. A refusal would be an error in their console.
    if (pathname === '/favicon.ico') response.writeHead(204, HEADERS).end();
    else if (!hosts.includes(request.headers.host ?? '') || !token.matches(given)) refuse(response, 403, WRONG_ADDRESS);
    else if (request.method !== 'GET') refuse(response, 405, 'Only GET');
    else if (name === undefined) response.writeHead(308, { ...HEADERS, Location: `/${token.text}/` }).end();
    else if (name === '') servePage(response, site.page(searchParams));
    else if (name === 'events' && site.first !== undefined) serveEvents(response, site.first());
    else refuse(response, 404, 'Not found');
  };

  const serveEvents = (response: ServerResponse, first: string): void => {
    response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream' });
    response.on('close', () => readers.delete(response));
    readers.add(response);
    response.write(message(first));
  };

  const server = createServer((request, response) => {
    try {
      answer(request, response);
    } catch {
      refuse(response, 500, 'The page could not be made');
    }
  });
  server.maxConnections = MAX_CONNECTIONS;
  if (!keepAlive) {
    server.unref();
    server.on('connection', (socket) => socket.unref());
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Failure('INTERNAL', 'noPage', { address: ADDRESS, why: error.message }, error)),
    );
    server.listen(0, ADDRESS, resolve);
  });
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  hosts = [`${ADDRESS}:${port}`, `localhost:${port}`];

  return {
    url: `http://${ADDRESS}:${port}/${token.text}/`,
    watched: () => readers.size > 0,
    send(data, event) {
      for (const reader of readers) {
        if (reader.writableLength > MAX_UNREAD_BYTES) reader.destroy();
        else reader.write(message(data, event));
      }
    },
    async close() {
      server.close();
      const ended = [...readers].map((reader) => new Promise<void>((resolve) => reader.end(() => resolve())));
      await within(CLOSE_LIMIT_MS, Promise.all(ended));
      server.closeAllConnections();
    },
  };
}

const HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

function servePage(response: ServerResponse, { text, policy }: Page): void {
  response.writeHead(200, {
    ...HEADERS,
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy,
  });
  response.end(text);
}

function refuse(response: ServerResponse, status: number, text: string): void {
  if (!response.headersSent) response.writeHead(status, { ...HEADERS, 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

/** One event of the stream (HTML Standard, section 9.2). Line breaks in the data would end the event. */
const message = (data: string, event?: string): string =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${data.replaceAll(/[\r\n]+/g, ' ')}\n\n`;
