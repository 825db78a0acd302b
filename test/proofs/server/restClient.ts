/** Calls of ThingsBoard's REST interface: login, time limits, and another try where that does no harm. */

import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod/mini';

export interface RestLogin {
  /** Without a slash at the end. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/** The server refused a call. The message has no query, because a query may hold a token. */
export class RestError extends Error {
  /** 0: no answer. */
  readonly status: number;

  constructor(call: string, status: number, why: string) {
    super(`REST ${call.replace(/\?.*/, '')}: ${status === 0 ? '' : `${status} `}${why}`);
    this.status = status;
  }
}

const CALL_LIMIT_MS = 20_000;
const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** Pauses before further tries, ms. */
const PAUSES_MS = [500, 1000, 2000, 4000, 8000];
const MAX_PAUSE_MS = 30_000;

const tokenSchema = z.object({ token: z.string().check(z.minLength(1)) });
const refusalSchema = z.object({ message: z.string() });

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs: number;
}

export class RestClient {
  readonly #login: RestLogin;
  readonly #signal: AbortSignal;
  #token: Promise<string> | undefined;

  /** @param signal ends every call */
  constructor(login: RestLogin, signal: AbortSignal) {
    this.#login = login;
    this.#signal = signal;
  }

  /**
   * @param path with the query
   * @returns the document of the answer; undefined: an empty answer
   * @throws RestError
   */
  async call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    this.#token ??= this.#logIn();
    const used = this.#token;
    let answer = await this.#patiently(method, path, body, await used);
    if (answer.status === 401) {
      // The token has expired. Of several calls at once, only one logs in again.
      if (this.#token === used) this.#token = this.#logIn();
      answer = await this.#patiently(method, path, body, await this.#token);
    }
    return documentOf(`${method} ${path}`, answer);
  }

  async #logIn(): Promise<string> {
    const path = '/api/auth/login';
    const { user: username, password } = this.#login;
    const answer = await this.#patiently('POST', path, { username, password });
    const parsed = tokenSchema.safeParse(documentOf(`POST ${path}`, answer));
    if (!parsed.success) throw new RestError(`POST ${path}`, answer.status, 'the answer has no token');
    return parsed.data.token;
  }

  /** Waits after a rate limit, and asks again for what can be asked twice. */
  async #patiently(method: string, path: string, body: unknown, token?: string): Promise<Answer> {
    for (const pause of PAUSES_MS) {
      const answer = await this.#ask(method, path, body, token).catch((error: unknown) => {
        // Deleting twice does no harm.
        if (method === 'POST' || this.#signal.aborted) throw error;
        return undefined;
      });
      const again = answer === undefined || answer.status === 429 || (method === 'GET' && answer.status >= 502);
      if (!again) return answer;
      await delay(Math.max(pause, answer?.retryAfterMs ?? 0), undefined, { signal: this.#signal });
    }
    return this.#ask(method, path, body, token);
  }

  async #ask(method: string, path: string, body: unknown, token: string | undefined): Promise<Answer> {
    try {
      const response = await fetch(`${this.#login.url}${path}`, {
        method,
        redirect: 'error',
        signal: AbortSignal.any([this.#signal, AbortSignal.timeout(CALL_LIMIT_MS)]),
        headers: {
          ...(token === undefined ? {} : { 'X-Authorization': `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const seconds = Number(response.headers.get('Retry-After') ?? 0);
      const retryAfterMs = Number.isFinite(seconds) ? Math.min(seconds * 1000, MAX_PAUSE_MS) : 0;
      return { status: response.status, text: await limitedText(response), retryAfterMs };
    } catch (error) {
      throw new RestError(`${method} ${path}`, 0, `no answer (${reasonOf(error)})`);
    }
  }
}

async function limitedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** fetch puts the system's error into `cause`. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'unknown error';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}

function documentOf(call: string, { status, text }: Answer): unknown {
  const json = parsedJson(text);
  if (status >= 200 && status < 300) {
    if (json === undefined && text !== '') throw new RestError(call, status, 'the answer is not JSON');
    return json;
  }
  const refusal = refusalSchema.safeParse(json);
  throw new RestError(call, status, refusal.success ? refusal.data.message : 'refused');
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
