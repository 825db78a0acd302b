import clientModule from 'mqtt/lib/client';

/**
 * MQTT.js's client class alone. The package's main entry would load its WebSocket, SOCKS and command-line parts too,
 * at every boot that provisions.
 */
export const MqttClient = clientModule.default;
export type MqttClient = InstanceType<typeof MqttClient>;

/**
 * MQTT.js answers PUBREL, and PUBLISH above QoS 0, with their packet identifier, and throws where nobody can catch it
 * when there is none (MQTT 3.1.1, section 2.3.1, demands one; its parser lets two such packets pass). With one that
 * nobody uses the answer can be written, while the caller ends the connection.
 * @param onMissing told about such a packet
 */
export function guardIdentifiers(client: MqttClient, onMissing: (error: Error) => void): void {
  client.on('packetreceive', (packet) => {
    const isAnswered = packet.cmd === 'pubrel' || (packet.cmd === 'publish' && packet.qos > 0);
    // Its parser says -1 where the bytes end too early. No identifier at all becomes NaN.
    if (!isAnswered || Number(packet.messageId) >= 0) return;
    packet.messageId = 0;
    onMissing(new Error(`${packet.cmd} without a packet identifier`));
  });
}
