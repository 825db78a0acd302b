/** Limits of the server (docs/thingsboard.md, section 1). */

/** Remaining length of a packet in bytes. */
export const MAX_PACKET_BYTES = 65_536;
/** Packets that may arrive before CONNACK is sent. */
export const MAX_EARLY_PACKETS = 100;
