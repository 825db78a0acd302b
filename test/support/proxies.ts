/** Small proxies for tests: HTTP CONNECT and SOCKS5. They resolve names by a table, so a test shows who resolved one. */

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { AtEnd } from './atEnd.ts';
import { type DeviceFolder, makeDeviceFolder } from './deviceFolder.ts';

export interface ProxyOptions {
  /** `user:password` that the proxy demands. */
  readonly login?: string;
  /** Name → address; other names and addresses are used as they are. */
  readonly names?: Readonly<Record<string, string>>;
  /** Instead of a connection: an HTTP status, or a reply of SOCKS5. */
  readonly refuse?: number;
  /** Headers of the refusal. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Accepts connections and never answers. */
  readonly silent?: boolean;
}

export interface TestProxy {
  readonly port: number;
  /** `host:port` of each request, in order. */
  readonly targets: readonly string[];
  /** Ends the proxy and each connection through it. */
  kill(): Promise<void>;
}

function startedProxy(atEnd: AtEnd, server: Server, targets: readonly string[], sockets: Set<Socket>): TestProxy {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  const kill = async (): Promise<void> => {
    const closed = server.listening ? once(server, 'close') : undefined;
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  atEnd(kill);
  return { port: (server.address() as AddressInfo).port, targets, kill };
}

/** Connects both sides. @param open called when the server is reached; false: it is not */
function passOn(client: Socket, sockets: Set<Socket>, host: string, port: number, open: (ok: boolean) => void): void {
  const upstream = connect({ host, port });
  sockets.add(upstream);
  let isOpen = false;
  upstream.once('connect', () => {
    isOpen = true;
    open(true);
    client.pipe(upstream).pipe(client);
  });
  upstream.once('error', () => {
    if (!isOpen) open(false);
    client.destroy();
  });
  upstream.once('close', () => {
    sockets.delete(upstream);
    client.destroySoon();
  });
  client.once('close', () => upstream.destroy());
}

const listen = async (server: Server): Promise<void> => void (await once(server.listen(0, '127.0.0.1'), 'listening'));

/** An HTTP proxy for CONNECT. */
export async function startConnectProxy(atEnd: AtEnd, options: ProxyOptions = {}): Promise<TestProxy> {
  const { login, names = {}, refuse, headers = {}, silent = false } = options;
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  const server = createHttpServer((_request, response) => void response.writeHead(400).end());
  server.on('connect', (request, client: Socket) => {
    if (silent) return;
    const url = request.url ?? '';
    targets.push(url);
    const given = Buffer.from((request.headers['proxy-authorization'] ?? '').replace(/^Basic /, ''), 'base64');
    const isKnown = login === undefined || given.toString() === login;
    const status = isKnown ? refuse : 407;
    if (status !== undefined) {
      const more = { ...(isKnown ? {} : { 'Proxy-Authenticate': 'Basic realm="test"' }), ...headers };
      const lines = Object.entries(more).map(([name, value]) => `${name}: ${value}\r\n`);
      client.end(`HTTP/1.1 ${status} Refused\r\n${lines.join('')}Content-Length: 0\r\n\r\n`);
      return;
    }
    const [, host = '', port = ''] = /^\[?([^\]]*)\]?:(\d+)$/.exec(url) ?? [];
    passOn(client, sockets, names[host] ?? host, Number(port), (ok) => {
      client.write(ok ? 'HTTP/1.1 200 OK\r\n\r\n' : 'HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
  });
  await listen(server);
  return startedProxy(atEnd, server, targets, sockets);
}

/** The address of a request of SOCKS5, in text (RFC 1928, section 4). */
function requestedHost(request: Buffer): string {
  if (request[3] === 1) return [...request.subarray(4, 8)].join('.');
  if (request[3] === 3) return request.toString('latin1', 5, 5 + (request[4] ?? 0));
  return Array.from({ length: 8 }, (_, index) => request.readUInt16BE(4 + 2 * index).toString(16)).join(':');
}

/** A SOCKS5 proxy. It takes each message of the client as one chunk, which is so on loopback. */
export async function startSocksProxy(atEnd: AtEnd, options: ProxyOptions = {}): Promise<TestProxy> {
  const { login, names = {}, refuse, silent = false } = options;
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => void serve(client).catch(() => client.destroy()));
  const next = async (client: Socket): Promise<Buffer> => {
    const [chunk] = await once(client, 'data');
    client.pause();
    return chunk;
  };
  async function serve(client: Socket): Promise<void> {
    if (silent) return;
    const methods = (await next(client)).subarray(2);
    const method = login === undefined ? 0 : 2;
    if (!methods.includes(method)) return void client.end(Buffer.from([5, 255]));
    client.resume().write(Buffer.from([5, method]));
    if (login !== undefined) {
      const given = await next(client);
      const length = given[1] ?? 0;
      const isKnown = `${given.toString('utf8', 2, 2 + length)}:${given.toString('utf8', 3 + length)}` === login;
      if (!isKnown) return void client.end(Buffer.from([1, 1]));
      client.resume().write(Buffer.from([1, 0]));
    }
    const request = await next(client);
    const host = requestedHost(request);
    const port = request.readUInt16BE(request.length - 2);
    targets.push(`${host}:${port}`);
    const answer = (reply: number): Buffer => Buffer.from([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]);
    if (refuse !== undefined) return void client.end(answer(refuse));
    passOn(client, sockets, names[host] ?? host, port, (ok) => client.write(answer(ok ? 0 : 5)));
    client.resume();
  }
  await listen(server);
  return startedProxy(atEnd, server, targets, sockets);
}

/** A device folder whose server, which does not exist, is behind an HTTP proxy at this port. */
export const behindProxy = (atEnd: AtEnd, port: number): Promise<DeviceFolder> =>
  makeDeviceFolder(atEnd, { port: 1883, provisioning: { host: 'tb.example', proxy: `http://127.0.0.1:${port}` } });

/** The same behind a new HTTP proxy. */
export const behindConnectProxy = async (atEnd: AtEnd, options: ProxyOptions): Promise<DeviceFolder> =>
  behindProxy(atEnd, (await startConnectProxy(atEnd, options)).port);
