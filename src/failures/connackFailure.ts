import { hostAndPort, type ServerEndpoint } from '../endpoint.ts';
import { Failure } from './failure.ts';

const MEANINGS: Readonly<Record<number, string>> = {
  1: 'it does not speak MQTT 3.1.1',
  2: 'it rejects the client identifier',
  3: 'it is not available',
  4: 'it rejects user name or password',
  5: 'it does not authorise this connection',
};

/** What a refusal in CONNACK means for the run (MQTT 3.1.1, section 3.2.2.3; docs/thingsboard.md, section 5). */
export function connackFailure(returnCode: number, server: ServerEndpoint): Failure {
  const meaning = MEANINGS[returnCode] ?? 'for a reason that MQTT 3.1.1 does not know';
  const code =
    returnCode === 3 ? 'SERVER_UNAVAILABLE' : returnCode === 1 ? 'NOT_THINGSBOARD' : 'CONNECTION_NOT_ACCEPTED';
  return new Failure(code, `${hostAndPort(server)} refused the connection: ${meaning} (CONNACK ${returnCode})`);
}

/** The server accepts anybody and does not answer what ThingsBoard always answers. */
export function notThingsBoard(server: ServerEndpoint): Failure {
  return new Failure(
    'NOT_THINGSBOARD',
    `${hostAndPort(server)} accepts the connection, but does not answer a request for attributes as ThingsBoard does`,
  );
}
