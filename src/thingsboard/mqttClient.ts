import clientModule from 'mqtt/lib/client';

/**
 * Only MQTT.js's client class. The package's main entry would also load WebSocket, SOCKS and command-line parts at
 * every boot that provisions.
 */
export const MqttClient = clientModule.default;
export type MqttClient = InstanceType<typeof MqttClient>;

/** What every connection of the agent has in common. */
export const LOGIN_OPTIONS = {
  protocolVersion: 4,
  clean: true,
  // The caller's listeners must see the first bytes before MQTT.js does.
  manualConnect: true,
  // MQTT.js would also send unacknowledged messages again.
  reconnectPeriod: 0,
  resubscribe: false,
  // The cache would allocate 65,536 buffers before the first packet, one for each packet identifier.
  writeCache: false,
} as const;

/**
 * Guards against PUBREL and PUBLISH (QoS 1 and 2) without a packet identifier, which MQTT 3.1.1, section 2.3.1,
 * requires. MQTT.js's parser accepts such packets, and its answer then throws an error that can't be caught. Identifier
 * 0 lets it write the answer while the caller ends the connection.
 * @param onMissing called for such a packet; it must end the connection
 */
export function guardIdentifiers(client: MqttClient, onMissing: (error: Error) => void): void {
  client.on('packetreceive', (packet) => {
    const isAnswered = packet.cmd === 'pubrel' || (packet.cmd === 'publish' && packet.qos > 0);
    // The parser sets -1 when the packet ends too early. A missing identifier becomes NaN.
    if (!isAnswered || Number(packet.messageId) >= 0) return;
    packet.messageId = 0;
    onMissing(new Error(`${packet.cmd} without a packet identifier`));
  });
}
