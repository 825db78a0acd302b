/** Situations of one server, each met by a run, by `doctor` and by `start`: all three name the same cause. */

import { expect, it } from 'vitest';
import { openSession, SESSION_LIMITS } from '../../src/client/thingsboardSession.ts';
import { credentialsOf } from '../../src/config/thermal/loginCredentials.ts';
import { failed } from '../../src/doctor/check.ts';
import { attemptLogin } from '../../src/doctor/loginAttempt.ts';
import { checkMqttConnection } from '../../src/doctor/mqttConnection.ts';
import { checkTcpConnection } from '../../src/doctor/tcpConnection.ts';
import { checkTlsConnection } from '../../src/doctor/tlsConnection.ts';
import type { ServerEndpoint } from '../../src/endpoint.ts';
import { connackFailure } from '../../src/failures/connackFailure.ts';
import type { Failure } from '../../src/failures/failure.ts';
import { provisioningServer } from '../../src/failures/serverFacts.ts';
import { configFor } from '../client/testBroker.ts';
import { failureOf } from '../config/scratch.ts';
import { ask, plainServer, tlsServer } from '../support/exchangeCalls.ts';
import { startRawServer } from '../support/rawMqttServer.ts';
import { closedPort } from '../support/strangeServers.ts';
import { situations } from './situations.ts';

/** Of a server that stays silent. Another server is given the time that a busy machine needs. */
const SILENCE_MS = 250;
const BUSY_MS = 5000;
/** The first check of `doctor` that fails. */
async function findingOf(server: ServerEndpoint, limitMs: number) {
  const attempt = attemptLogin(server, limitMs);
  const { findings } = await checkTlsConnection(attempt, Date.now());
  const refused = findings.find(({ verdict }) => verdict === 'failed');
  return refused ?? failed(await failureOf(() => checkMqttConnection(attempt)));
}

async function failureOfRun(server: ServerEndpoint, limitMs: number): Promise<Failure> {
  const end = await ask(server, { timeoutMs: limitMs });
  if (end.kind === 'failed') return end.failure;
  if (end.kind === 'refused') return connackFailure(end.returnCode, provisioningServer(server), 'provision');
  throw new Error('answered');
}

async function failureOfStart({ host, port, useSsl, ca }: ServerEndpoint, connectMs: number): Promise<Failure> {
  const { thingsboard } = configFor(port, { thingsboard: { host, useSsl } });
  const limits = { ...SESSION_LIMITS, connectMs };
  const credentials = await credentialsOf(thingsboard.login, '/');
  const { signal } = new AbortController();
  return failureOf(() => openSession({ settings: thingsboard, credentials, ca, limits, signal }));
}

it.each(Object.entries(situations))(
  'a server that %s',
  async (_name, { script = {}, tls, trusts, code, says, advises }) => {
    const { port } = await startRawServer(script, tls === undefined ? {} : { tls });
    const server = trusts === undefined ? plainServer(port) : tlsServer(port, trusts);
    const limitMs = String(says).includes('within') ? SILENCE_MS : BUSY_MS;
    const run = await failureOfRun(server, limitMs);
    expect(run.code).toBe(code);
    expect(run.message).toMatch(says);
    expect(run.hint).toMatch(advises);
    // Without TLS key, secret and token are sent unencrypted: no advice leads there.
    expect(run.hint).not.toMatch(/use_ssl to false/);

    const { message, ...finding } = await findingOf(server, limitMs);
    expect(finding).toEqual({ verdict: 'failed', code, hint: run.hint, exitStatus: run.exitStatus });
    // `doctor` also describes the certificate.
    expect(message.replace(/; certificate of .*/, '')).toBe(run.message);

    const start = await failureOfStart(server, limitMs);
    expect([start.code, start.message]).toEqual([code, run.message]);
    expect(start.hint).toMatch(advises);
  },
);

it('a port without a listener, an address without a route', async () => {
  const refused = plainServer(await closedPort());
  for (const server of [refused, plainServer(1883, '255.255.255.255')]) {
    const run = await failureOfRun(server, BUSY_MS);
    const doctor = await failureOf(() => checkTcpConnection(server, BUSY_MS));
    const start = await failureOfStart(server, BUSY_MS);
    expect([doctor.message, start.message]).toEqual([run.message, run.message]);
    expect(doctor).toMatchObject({ code: run.code, hint: run.hint });
  }
});
