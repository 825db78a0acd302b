/** The codes of CONNACK, SUBACK and PUBACK in MQTT 3.1, 3.1.1 and 5 (docs/thingsboard.md, sections 1 and 5). */

export type ProtocolVersion = 3 | 4 | 5;

/** Why a CONNECT is refused, with its codes before MQTT 5 and in MQTT 5. */
export const REFUSALS = {
  /** Neither user name nor password, and no device has this client id. */
  unknownClientId: { mqtt3: 2, mqtt5: 0x85 },
  /** The back end does not answer, or a rate limit. */
  serverUnavailable: { mqtt3: 3, mqtt5: 0x88 },
  badCredentials: { mqtt3: 5, mqtt5: 0x86 },
  notAuthorized: { mqtt3: 5, mqtt5: 0x87 },
} as const;
export type Refusal = keyof typeof REFUSALS;

/** Codes of MQTT 3.1.1 that a fault can choose, and their counterparts in MQTT 5. */
const MQTT5_OF = { 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87 } as const;

/** @param refusal a reason, or the code of MQTT 3.1.1 */
export function connackCode(refusal: Refusal | keyof typeof MQTT5_OF, version: ProtocolVersion): number {
  if (typeof refusal === 'number') return version === 5 ? MQTT5_OF[refusal] : refusal;
  return version === 5 ? REFUSALS[refusal].mqtt5 : REFUSALS[refusal].mqtt3;
}

/** SUBACK for a topic filter that the server does not know. */
export const refusedFilter = (version: ProtocolVersion): number => (version === 5 ? 0x8f : 0x80);

/** PUBACK of MQTT 5 for a payload that can't be read. */
export const PAYLOAD_FORMAT_INVALID = 0x99;
/** PUBACK and DISCONNECT of MQTT 5 for a topic other than `/provision/request` while provisioning. */
export const TOPIC_NAME_INVALID = 0x90;
