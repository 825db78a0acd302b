import type { Socket } from 'node:net';
import { generate, type IConnectPacket, type IPublishPacket, type Packet, parser } from 'mqtt-packet';

/** What a broker that is not ThingsBoard answers. Everything that is left out is accepted. */
export interface BrokerRules {
  /** @returns the return code of CONNACK; above 0 the connection is closed */
  readonly onConnect?: (packet: IConnectPacket) => number;
  readonly onPublish?: (packet: IPublishPacket) => 'ack' | 'silence' | 'close';
}

/** Speaks MQTT 3.1.1 on a connection. No message is routed: no client of the tests subscribes to what another sends. */
export function speakMqtt(socket: Socket, { onConnect = () => 0, onPublish = () => 'ack' }: BrokerRules = {}): void {
  const send = (packet: Packet): void => void socket.write(generate(packet));
  const connect = (packet: IConnectPacket): void => {
    const returnCode = onConnect(packet);
    send({ cmd: 'connack', returnCode, sessionPresent: false });
    if (returnCode !== 0) socket.end();
  };
  const publish = (packet: IPublishPacket): void => {
    const answer = onPublish(packet);
    if (answer === 'close') socket.destroy();
    if (answer !== 'ack' || packet.messageId === undefined) return;
    send({ cmd: packet.qos === 2 ? 'pubrec' : 'puback', messageId: packet.messageId });
  };
  const answer = (packet: Packet): void => {
    const messageId = packet.messageId ?? 0;
    if (packet.cmd === 'connect') connect(packet);
    if (packet.cmd === 'subscribe') send({ cmd: 'suback', messageId, granted: packet.subscriptions.map(() => 1) });
    if (packet.cmd === 'publish') publish(packet);
    if (packet.cmd === 'pubrel') send({ cmd: 'pubcomp', messageId });
    if (packet.cmd === 'pingreq') send({ cmd: 'pingresp' });
    if (packet.cmd === 'disconnect') socket.end();
  };
  const reader = parser();
  reader.on('packet', answer);
  reader.on('error', () => socket.destroy());
  socket.on('error', () => {});
  socket.on('data', (bytes: Buffer) => void reader.parse(bytes));
}
