/**
 * The REST side of the simulator: the few calls of ThingsBoard's administration that scripts need
 * (docs/thingsboard.md, section 7). One tenant with one administrator, and the system administrator.
 */

import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod/mini';
import { hostAndPort } from '../endpoint.ts';
import { bind } from './listener.ts';
import type { Registry } from './registry.ts';
import { answerCall } from './restCalls.ts';
import { INVALID_REQUEST, PERMISSION_DENIED, RestRefusal, refusalBody, UNAUTHENTICATED } from './restRefusal.ts';
import { answerRpc, type RpcReply } from './restRpc.ts';
import type { ServerRpc } from './serverRpc.ts';

/** The tenant administrator of a fresh demonstration installation of ThingsBoard. */
export const REST_USER = { username: 'tenant@thingsboard.org', password: 'tenant' } as const;
/** Its system administrator, who may not do the calls of a tenant. */
export const REST_SYSTEM_USER = { username: 'sysadmin@thingsboard.org', password: 'sysadmin' } as const;

const MAX_BODY_BYTES = 64 * 1024;
const MAX_CONNECTIONS = 200;
const REQUEST_LIMIT_MS = 10_000;
/** ThingsBoard's default. */
const TOKEN_LIFE_MS = 9_000_000;
const MAX_TOKENS = 1000;
const TOKEN_EXPIRED = 11;

export interface RestOptions {
  readonly host?: string | undefined;
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** How long a token is valid. Default 2.5 hours. */
  readonly tokenLifeMs?: number | undefined;
  /** Resolves when every change so far would survive a restart. */
  readonly durable?: (() => Promise<void>) | undefined;
  /** Requests to devices. Absent: there are no such calls. */
  readonly rpc?: ServerRpc | undefined;
  /** The shortest time for the answer of a device. Default: ThingsBoard's. */
  readonly minRpcTimeoutMs?: number | undefined;
}

export interface Rest {
  /** `http://host:port` */
  readonly url: string;
  close(): Promise<void>;
}

const loginSchema = z.object({ username: z.string(), password: z.string() });

/** Serves the registry over REST. @throws Failure SERVER_UNAVAILABLE when it can't listen */
export async function startRest(registry: Registry, options: RestOptions = {}): Promise<Rest> {
  const { host = '127.0.0.1', port = 0, tokenLifeMs = TOKEN_LIFE_MS, durable = async () => {} } = options;
  /** In the order of time. */
  const tokens = new Map<string, { readonly issued: number; readonly ofTenant: boolean }>();

  const logIn = (text: string): object => {
    const given = loginSchema.safeParse(parsedLogin(text));
    if (!given.success) throw new RestRefusal(401, 'Authentication failed', UNAUTHENTICATED);
    const user = [REST_USER, REST_SYSTEM_USER].find(
      ({ username, password }) => username === given.data.username && password === given.data.password,
    );
    if (user === undefined) throw new RestRefusal(401, 'Invalid username or password', UNAUTHENTICATED);
    const token = randomBytes(32).toString('hex');
    tokens.set(token, { issued: Date.now(), ofTenant: user === REST_USER });
    for (const oldest of [...tokens.keys()].slice(0, -MAX_TOKENS)) tokens.delete(oldest);
    return { token, refreshToken: randomBytes(32).toString('hex') };
  };

  const requireTenantToken = ({ headers }: IncomingMessage): void => {
    const header = String(headers['x-authorization'] ?? headers.authorization ?? '');
    const known = tokens.get(/^Bearer (\S+)$/.exec(header)?.[1] ?? '');
    if (known === undefined) throw new RestRefusal(401, 'Authentication failed', UNAUTHENTICATED);
    if (Date.now() - known.issued >= tokenLifeMs) throw new RestRefusal(401, 'Token has expired', TOKEN_EXPIRED);
    if (!known.ofTenant) {
      throw new RestRefusal(403, "You don't have permission to perform this operation!", PERMISSION_DENIED);
    }
  };

  const answer = async (request: IncomingMessage): Promise<RpcReply> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://simulator');
    const text = await readBody(request);
    if (request.method === 'POST' && pathname === '/api/auth/login') return { status: 200, body: logIn(text) };
    requireTenantToken(request);
    const call = { method: request.method ?? '', path: pathname, query: searchParams, body: json(text) };
    const { rpc, minRpcTimeoutMs: minTimeoutMs } = options;
    const reply = rpc === undefined ? undefined : await answerRpc({ registry, rpc, minTimeoutMs }, call);
    if (reply !== undefined) return reply;
    const body = answerCall(registry, call);
    await durable();
    return { status: 200, body };
  };

  // Loaded only here. An import of this whole module at run time would cut the bundle's parts of `run` into more files.
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer({ requestTimeout: REQUEST_LIMIT_MS, headersTimeout: REQUEST_LIMIT_MS });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.on('error', () => {});
    answer(request).then(
      ({ status, body }) => send(response, status, body),
      (error: unknown) => {
        const refusal = error instanceof RestRefusal ? error : new RestRefusal(500, 'Internal error', 2);
        // The rest of a body that is too long is not read.
        if (!request.complete) response.shouldKeepAlive = false;
        send(response, refusal.status, refusalBody(refusal));
      },
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  const address = await bind(server, host, port);
  return {
    url: `http://${hostAndPort({ host, port: address.port })}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** @param body undefined: an empty answer */
function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The body is not iterated: leaving the loop early would destroy the connection before the refusal is sent.
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
      else reject(new RestRefusal(413, 'The body is too long', INVALID_REQUEST));
    });
    request.on('end', resolve);
    request.on('error', reject);
    request.on('close', () => reject(new RestRefusal(400, 'The connection was closed', INVALID_REQUEST)));
  });
  return Buffer.concat(chunks).toString('utf8');
}

/** @returns undefined if the text is empty @throws RestRefusal */
function json(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new RestRefusal(400, 'The body is not JSON', INVALID_REQUEST);
  }
}

/** A login that can't be read is refused like a wrong one, but with another reason. */
function parsedLogin(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
