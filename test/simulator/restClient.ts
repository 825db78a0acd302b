/** A client of the simulator's REST calls. */

import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { REST_USER } from '../../src/simulator/rest.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';

const idSchema = z.object({ id: z.object({ entityType: z.string(), id: z.string() }) });

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export type Call = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** Calls with this token, or without one. */
export const caller =
  (url: string, token?: string): Call =>
  async (method, path, body) => {
    const headers = token === undefined ? {} : { 'X-Authorization': `Bearer ${token}` };
    const text = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const response = await fetch(url + path, { method, headers, ...text });
    const answer = await response.text();
    return { status: response.status, body: answer === '' ? undefined : JSON.parse(answer) };
  };

/** Calls of a user who has logged in. */
export async function loggedIn(url: string, user: object = REST_USER): Promise<Call> {
  const { body } = await caller(url)('POST', '/api/auth/login', user);
  return caller(url, z.object({ token: z.string() }).parse(body).token);
}

/** A simulator that ends with the test, and calls of its tenant administrator. */
export async function administered(): Promise<{ simulator: Simulator; call: Call }> {
  const simulator = await startSimulator({ restPort: 0 });
  onTestFinished(() => simulator.close());
  return { simulator, call: await loggedIn(simulator.restUrl ?? '') };
}

/** The id of the device or profile that a call has answered. */
export async function idOf(answer: Promise<Answer>): Promise<string> {
  return idSchema.parse((await answer).body).id.id;
}
