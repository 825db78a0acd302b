import { Failure } from './failure.ts';
import type { ServerFacts } from './serverFacts.ts';

/** The login that the server refused: the user of provisioning requests, or a device with its access token. */
type Login = 'provision' | 'device';

const MEANINGS: Readonly<Record<number, string>> = {
  1: 'it does not speak MQTT 3.1.1',
  2: 'it rejects the client identifier',
  3: 'it is not available',
  4: 'it rejects user name or password',
  5: 'it does not authorise this connection',
};

/**
 * The failure for a return code in CONNACK (MQTT 3.1.1, section 3.2.2.3; docs/thingsboard.md, section 5). ThingsBoard
 * refuses an unknown access token with 5. Other servers use 4 for the same.
 */
export function connackFailure(returnCode: number, server: ServerFacts, login: Login): Failure {
  const why = MEANINGS[returnCode] ?? 'MQTT 3.1.1 does not define this code';
  const facts = { ...server, why, returnCode };
  if (returnCode === 1) return new Failure('NOT_THINGSBOARD', 'refused', facts);
  if (returnCode === 3) return new Failure('SERVER_UNAVAILABLE', 'refused', facts);
  if (login === 'provision') return new Failure('CONNECTION_NOT_ACCEPTED', 'refused', facts);
  if (returnCode === 4 || returnCode === 5) return new Failure('CREDENTIALS_REFUSED', 'refused', facts);
  return new Failure('CONNECTION_NOT_ACCEPTED', 'deviceRefused', facts);
}
