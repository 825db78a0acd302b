import type { ProvisionSettings } from '../config/provision/provisionJson.ts';
import { drawRandom, generateCredentials } from '../device/candidate.ts';
import { hostAndPort, type ServerEndpoint } from '../endpoint.ts';
import { connackFailure } from '../failures/connackFailure.ts';
import { Failure } from '../failures/failure.ts';
import { provisioningServer } from '../failures/serverFacts.ts';
import { exchange } from '../thingsboard/exchange.ts';
import { provisionRequestPayload } from '../thingsboard/provisionRequest.ts';
import { parseProvisionResponse } from '../thingsboard/provisionResponse.ts';
import { PROVISION_REQUEST_TOPIC, PROVISION_RESPONSE_TOPIC, PROVISION_USER } from '../thingsboard/topics.ts';
import { type Checked, passed, warning } from './check.ts';

const CLIENT_ID = 'thermal-provision-doctor';
/** One character more than a name may have, so that the server can't create a device (docs/thingsboard.md, section 2). */
const NAME_LENGTH = 256;
const NAME = 'key-check-of-thermal-provision-'.padEnd(NAME_LENGTH, 'x');

/**
 * Checks key and secret without creating a device: it asks for a name that is too long. The server answers FAILURE if
 * key and secret are right, and NOT_FOUND if not (docs/thingsboard.md, section 4).
 * @throws Failure PROVISION_KEY_REFUSED, and each failure of a run's own request
 */
export async function checkProvisioningKey(
  { deviceKey, deviceSecret, timeoutSeconds }: ProvisionSettings,
  server: ServerEndpoint,
): Promise<Checked<true>> {
  const credentials = await generateCredentials('access_token', NAME, drawRandom);
  const end = await exchange({
    server,
    clientId: CLIENT_ID,
    username: PROVISION_USER,
    question: {
      topic: PROVISION_REQUEST_TOPIC,
      payload: provisionRequestPayload({ deviceKey, deviceSecret, deviceName: NAME, credentials }),
      answerTopic: PROVISION_RESPONSE_TOPIC,
      subscribe: true,
    },
    timeoutMs: timeoutSeconds * 1000,
    signal: new AbortController().signal,
  });
  if (end.kind === 'refused') throw connackFailure(end.returnCode, provisioningServer(server), 'provision');
  if (end.kind === 'failed') throw end.failure;
  const { status } = parseProvisionResponse(end.payload);
  const address = hostAndPort(server);
  if (status === 'NOT_FOUND') throw new Failure('PROVISION_KEY_REFUSED', 'notFound', { server: address });
  if (status === 'SUCCESS') {
    const message = `${address} accepted a name of ${NAME_LENGTH} characters and created a device: it is not ThingsBoard`;
    return {
      fact: true,
      findings: [warning(message, `Delete the device whose name begins with ${NAME.slice(0, 30)}.`)],
    };
  }
  return {
    fact: true,
    findings: [passed('key and secret are right (asked with a name that is too long for a device)')],
  };
}
