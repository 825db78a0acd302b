/**
 * Loaded only if a proxy is used (openStream.ts). It imports nothing from other sources but types: each shared source
 * would be a further file of a start without a proxy (docs/architecture.md, "What a start loads").
 */

import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { SocksClient } from 'socks';
import type { ProxyServer, ServerEndpoint } from '../endpoint.ts';
import type { ConnectionProgress } from '../failures/connectionProgress.ts';
import type { ProxyRefusal, Refusal } from '../failures/proxyFailure.ts';

type Address = Pick<ServerEndpoint, 'host' | 'port'>;

/** Longer than any limit of the caller, who ends an attempt by destroying the socket. */
const NEVER_MS = 24 * 3600 * 1000;

/**
 * Lets a proxy open the way to a server.
 * @param socket a new connection to the proxy; afterwards it leads to the server
 * @param server with its host and port as one text
 * @param note takes the progress
 * @throws ProxyRefusal; errors of the socket, of the name resolution, and of the parser of HTTP
 */
export async function openTunnel(
  socket: Socket,
  proxy: ProxyServer,
  server: Address & { readonly text: string },
  note: (more: Pick<ConnectionProgress, 'stage'>) => void,
): Promise<void> {
  if (socket.connecting) await once(socket, 'connect');
  if (proxy.scheme === 'http') return connectOverHttp(socket, proxy, server.text);
  if (proxy.scheme === 'socks5h') return connectOverSocks(socket, proxy, server);
  note({ stage: 'name' });
  const { address } = await lookup(server.host);
  note({ stage: 'proxy' });
  return connectOverSocks(socket, proxy, { host: address, port: server.port });
}

const refused = (refusal: Refusal, answer: string): ProxyRefusal =>
  Object.assign(new Error(answer), { code: 'ERR_PROXY' as const, refusal });

/** RFC 9110, section 9.3.6. */
function connectOverHttp(socket: Socket, { login }: ProxyServer, target: string): Promise<void> {
  const authorization = login === undefined ? undefined : `Basic ${Buffer.from(login.reveal()).toString('base64')}`;
  return new Promise((resolve, reject) => {
    const connect = request({
      method: 'CONNECT',
      path: target,
      headers: {
        Host: target,
        ...(authorization === undefined ? {} : { 'Proxy-Authorization': authorization }),
      },
      createConnection: () => socket,
    });
    connect.on('error', (error) => {
      const isParserError = 'code' in error && String(error.code).startsWith('HPE_');
      reject(isParserError ? refused(['NOT_A_PROXY', 'notProxy'], error.message) : error);
    });
    connect.once('connect', (answer: IncomingMessage, _socket, head: Buffer) => {
      const status = answer.statusCode ?? 0;
      if (status < 200 || status > 299) return reject(httpRefusal(answer, status, login !== undefined));
      if (head.length > 0) socket.unshift(head);
      resolve();
    });
    connect.end();
  });
}

function httpRefusal({ headers }: IncomingMessage, status: number, hasLogin: boolean): ProxyRefusal {
  const answer = `HTTP ${status}`;
  if (status === 407) {
    const kinds = loginKinds([headers['proxy-authenticate'] ?? []].flat());
    if (kinds !== '' && !/\bbasic\b/i.test(kinds)) return refused(['PROXY_LOGIN_REFUSED', 'otherKind'], kinds);
    return refused(hasLogin ? ['PROXY_LOGIN_REFUSED', 'refused'] : ['PROXY_LOGIN_REFUSED', 'demanded'], answer);
  }
  if ([401, 403, 451].includes(status)) return refused(['PROXY_FORBIDS', 'forbidden'], answer);
  const mayPass = [408, 429].includes(status) || (status >= 500 && status !== 501);
  return refused(mayPass ? ['PROXY_TARGET_UNREACHABLE', 'connecting'] : ['NOT_A_PROXY', 'noConnect'], answer);
}

/** The kinds of login that a proxy accepts, for example `Negotiate, NTLM`. */
function loginKinds(demands: readonly string[]): string {
  const kinds = demands.flatMap((demand) => demand.match(/^[A-Za-z][\w-]{0,30}(?=\s|$)/) ?? []);
  return [...new Set(kinds)].slice(0, 5).join(', ');
}

/** RFC 1928, and RFC 1929 for the login. */
async function connectOverSocks(socket: Socket, proxy: ProxyServer, destination: Address): Promise<void> {
  const { host, port, login } = proxy;
  const [, userId, password] = /^([^:]*):(.*)$/s.exec(login?.reveal() ?? '') ?? [];
  try {
    await SocksClient.createConnection({
      command: 'connect',
      proxy: { host, port, type: 5, ...(login === undefined ? {} : { userId, password }) },
      destination: { host: destination.host, port: destination.port },
      timeout: NEVER_MS,
      existing_socket: socket,
    });
  } catch (error) {
    // The library's error holds the password, so it is not the cause.
    throw socksRefusal(error instanceof Error ? error.message : typeof error, login !== undefined);
  }
}

/** The replies of RFC 1928, section 6, by the library's names. */
const REPLIES: Readonly<Record<string, readonly [Refusal, string]>> = {
  Failure: [['PROXY_TARGET_UNREACHABLE', 'connecting'], 'general failure'],
  NotAllowed: [['PROXY_FORBIDS', 'forbidden'], 'SOCKS reply 2'],
  NetworkUnreachable: [['PROXY_TARGET_UNREACHABLE', 'connecting'], 'network unreachable'],
  HostUnreachable: [['PROXY_TARGET_UNREACHABLE', 'connecting'], 'host unreachable, or its name is unknown'],
  ConnectionRefused: [['PROXY_TARGET_UNREACHABLE', 'connecting'], 'nothing listens on that port'],
  TTLExpired: [['PROXY_TARGET_UNREACHABLE', 'connecting'], 'the host does not answer'],
  AddressNotSupported: [['PROXY_FORBIDS', 'forbidden'], 'SOCKS reply 8, it does not support this kind of address'],
};

/** @param text of the library's error; test/provision/proxyFailures.test.ts meets each of them */
function socksRefusal(text: string, hasLogin: boolean): ProxyRefusal {
  const [refusal, answer] = REPLIES[/ rejected connection - (\w+)$/.exec(text)?.[1] ?? ''] ?? [
    ['NOT_A_PROXY', 'notProxy'],
    text,
  ];
  if (text === 'Socket closed') return refused(['PROXY_UNREACHABLE', 'closed'], text);
  if (/no accepted authentication type|Authentication failed/.test(text)) {
    return refused(hasLogin ? ['PROXY_LOGIN_REFUSED', 'refused'] : ['PROXY_LOGIN_REFUSED', 'demanded'], text);
  }
  return refused(refusal, answer);
}
