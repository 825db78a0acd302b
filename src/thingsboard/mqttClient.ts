import clientModule from 'mqtt/lib/client';

/**
 * MQTT.js's client class alone. The package's main entry would load its WebSocket, SOCKS and command-line parts too,
 * at every boot that provisions.
 */
export const MqttClient = clientModule.default;
export type MqttClient = InstanceType<typeof MqttClient>;
