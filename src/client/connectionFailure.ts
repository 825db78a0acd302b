import { Failure, type FailureCode } from '../failures/failure.ts';
import { networkFailure } from '../failures/networkFailure.ts';

const SETTINGS_HINT = 'Check thingsboard.host, port and use_ssl in thermal_config.json; it is tried again.';
const NETWORK_HINT = 'Check cable, Wi-Fi and firewall between this device and the server; it is tried again.';
const SILENCE_HINT = 'The server accepts connections but answers nothing: look at its log; it is tried again.';
const CLOSED_HINT =
  'It is tried again. If that repeats: the device may have been deleted, its rate limit reached, ' +
  'or another client uses the same access token.';

/** The catalogue's hints speak of provisioning; these of normal operation, which never gives up. */
const HINTS: Partial<Record<FailureCode, string>> = {
  HOST_NOT_FOUND: SETTINGS_HINT,
  CONNECTION_REFUSED: SETTINGS_HINT,
  NOT_MQTT: SETTINGS_HINT,
  CONNECTION_NOT_ACCEPTED: SETTINGS_HINT,
  HOST_UNREACHABLE: NETWORK_HINT,
  CONNECT_TIMEOUT: NETWORK_HINT,
  CONNECTION_LOST: CLOSED_HINT,
  ANSWER_TIMEOUT: SILENCE_HINT,
  SERVER_UNAVAILABLE: 'It is tried again. If that lasts: the device profile’s transport type must be MQTT.',
  CREDENTIALS_REFUSED:
    'Look on the server whether the device still exists and whether its access token was changed; ' +
    'if so, provision the device again.',
  CA_FILE_UNUSABLE: 'Let thingsboard.ca_file name a readable PEM file, relative to the device folder.',
  TLS_UNKNOWN_CA: 'Put the server’s CA certificate (PEM) into the device folder and name it in thingsboard.ca_file.',
  TLS_NOT_YET_VALID: 'Most likely the device’s clock is wrong: check date and NTP; it is tried again.',
  TLS_FAILED: 'Check that thingsboard.port is the server’s TLS port, or set use_ssl to false.',
};

/** A failure whose hint fits normal operation. */
export function sessionFailure(code: FailureCode, message: string, cause?: unknown): Failure {
  const hint = HINTS[code];
  return new Failure(code, message, { cause, ...(hint === undefined ? {} : { hint }) });
}

/** CONNACK return codes (MQTT 3.1.1, section 3.2.2.3) as ThingsBoard means them (docs/thingsboard.md, section 5). */
const CONNACK: Readonly<Record<number, readonly [FailureCode, string]>> = {
  1: ['NOT_MQTT', 'it does not speak MQTT 3.1.1'],
  2: ['CREDENTIALS_REFUSED', 'it refuses the client identifier'],
  3: ['SERVER_UNAVAILABLE', 'it is not available'],
  4: ['CREDENTIALS_REFUSED', 'it refuses the access token'],
  5: ['CREDENTIALS_REFUSED', 'it refuses the access token'],
};

/**
 * What an error that MQTT.js reports, or the socket below it, means. A CONNACK refusal carries its number as code,
 * the system's errors a name, the parser's none.
 * @param server host and port
 */
export function connectionFailure(error: unknown, server: string): Failure {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code === 'number') {
    const [meaning, text] = CONNACK[code] ?? ['CONNECTION_NOT_ACCEPTED', 'for a reason that MQTT 3.1.1 does not know'];
    return sessionFailure(meaning, `${server} refused the connection: ${text} (CONNACK ${code})`, error);
  }
  if (code === undefined) return sessionFailure('NOT_MQTT', `${server} answers, but not in MQTT`, error);
  const failure = networkFailure(error, server);
  return sessionFailure(failure.code, failure.message, error);
}

/** The server closed the connection without a reason, which MQTT 3.1.1 has no packet for. */
export const closedByServer = (server: string): Failure =>
  sessionFailure('CONNECTION_LOST', `${server} closed the connection`);
