/** ThingsBoard's MQTT transport: what each packet of a client leads to (docs/thingsboard.md, sections 1 and 5). */

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { IConnectPacket, IPublishPacket, ISubscribePacket, IUnsubscribePacket, Packet } from 'mqtt-packet';
import { authenticateDevice, derKey, isProvisioning, isUnanswerable } from './deviceAuthentication.ts';
import { isDeviceFilter, receiveFromDevice } from './deviceTopics.ts';
import type { Message } from './message.ts';
import { isProvisionFilter, receiveProvision } from './provisionTopics.ts';
import { connackCode, type Refusal, TOPIC_NAME_INVALID } from './returnCodes.ts';
import type { Reply, ServerContext } from './serverContext.ts';
import { RPC_FILTER } from './serverRpc.ts';
import { Session } from './session.ts';

/** A device's session is closed after this time without a packet (docs/thingsboard.md, section 6). */
const INACTIVITY_MS = 600_000;

/** DER; undefined: none, or no TLS. */
const clientCertificate = (socket: Socket): Buffer | undefined =>
  socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.raw : undefined;

const never = new Promise<void>(() => {});

export class Transport {
  readonly #context: ServerContext;
  readonly #sessionOfDevice = new Map<string, Session>();
  #lastSession = 0;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  /** Takes over an accepted connection, for TLS after its handshake. */
  accept(socket: Socket): void {
    this.#lastSession += 1;
    if (!this.#context.release.certificatesAtConnect && this.#isStranger(socket)) {
      // The server sends the alert certificate_unknown, which Node can't.
      this.#context.emit(this.#lastSession, { type: 'close', by: 'server', why: 'a client certificate of no device' });
      socket.destroy();
      return;
    }
    const session = new Session(
      this.#lastSession,
      socket,
      (connecting, packet) => this.#connect(connecting, packet),
      (sender, packet) => this.#receive(sender, packet),
    );
    socket.on('close', () => this.#closed(session));
  }

  #isStranger(socket: Socket): boolean {
    const certificate = clientCertificate(socket);
    return certificate !== undefined && this.#context.registry.findByCredentials(derKey(certificate)) === undefined;
  }

  /** Closes the session of a device, if there is one. */
  closeDevice(device: string, why: string): void {
    this.#sessionOfDevice.get(device)?.close(why);
  }

  /** Sends to a device; false if it is not connected or not subscribed to `filter`. */
  pushToDevice(device: string, filter: string, message: Message): boolean {
    const session = this.#sessionOfDevice.get(device);
    if (session === undefined || !session.usable || !session.subscriptions.has(filter)) return false;
    session.publish(message);
    return true;
  }

  async #connect(session: Session, packet: IConnectPacket): Promise<void> {
    const { registry, faults, timers, emit } = this.#context;
    const certificate = clientCertificate(session.socket);
    const { clientId, username, password } = packet;
    const identity = {
      clientId,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password: password.toString('utf8') }),
      ...(certificate === undefined ? {} : { certificate }),
    };
    const provisioning = isProvisioning(identity);
    registry.count('connects');
    emit(session.id, { type: 'connect', kind: provisioning ? 'provision' : 'device' });
    const fault = faults.nextConnect(provisioning ? 'provisionConnect' : 'deviceConnect');
    if (fault?.action === 'close') return session.close('a scripted fault');
    if (fault?.action === 'stallConnack') await (fault.ms === undefined ? never : timers.wait(fault.ms));
    if (fault?.action === 'refuse') return this.#refuse(session, fault.code);
    // The look-up in the database takes a moment, in which more packets may arrive.
    await new Promise((resolve) => setImmediate(resolve));
    if (provisioning) {
      registry.count('provisionConnects');
      this.#accept(session, undefined);
    } else {
      if (isUnanswerable(identity)) {
        await timers.wait(this.#context.times.connectTimeoutMs);
        return this.#refuse(session, 'serverUnavailable');
      }
      const result = authenticateDevice(identity, (key) => registry.findByCredentials(key), Date.now());
      if ('refused' in result) return this.#refuse(session, result.refused);
      registry.count('deviceConnects');
      registry.markConnected(result.device);
      this.#accept(session, result.device);
    }
    if (fault?.action === 'acceptThenClose') {
      session.timers.after(fault.ms ?? 0, () => session.close('a scripted fault'));
    }
  }

  #refuse(session: Session, refusal: Refusal | 2 | 3 | 4 | 5): void {
    this.#context.registry.count('refusedConnects');
    const code = connackCode(refusal, session.version);
    session.connack(code);
    this.#context.emit(session.id, { type: 'connack', code });
  }

  #accept(session: Session, device: string | undefined): void {
    if (!session.usable) return;
    if (device !== session.device) this.#leaveDevice(session);
    session.device = device;
    session.connack(0);
    this.#context.emit(session.id, { type: 'connack', code: 0, ...(device === undefined ? {} : { device }) });
    if (device === undefined) return;
    const earlier = this.#sessionOfDevice.get(device);
    if (earlier !== session) earlier?.close('a newer session of the device');
    this.#sessionOfDevice.set(device, session);
    session.socket.setTimeout(INACTIVITY_MS, () => session.close('no packet for 10 minutes'));
  }

  #closed(session: Session): void {
    session.timers.stop();
    this.#leaveDevice(session);
    const { closeReason } = session;
    this.#context.emit(session.id, {
      type: 'close',
      by: closeReason === undefined ? 'client' : 'server',
      why: closeReason ?? 'closed by the client',
    });
  }

  #leaveDevice(session: Session): void {
    const { device } = session;
    if (device !== undefined && this.#sessionOfDevice.get(device) === session) this.#sessionOfDevice.delete(device);
  }

  #receive(session: Session, packet: Packet): void {
    switch (packet.cmd) {
      case 'publish':
        void this.#publish(session, packet);
        break;
      case 'subscribe':
        this.#subscribe(session, packet);
        break;
      case 'unsubscribe':
        this.#unsubscribe(session, packet);
        break;
      case 'pingreq':
        session.pong();
        break;
      case 'disconnect':
        session.socket.end();
        break;
      // Acknowledgements and packets that only a server sends are ignored.
    }
  }

  /** Whether this session gets no SUBACK and no UNSUBACK, and none of its subscriptions counts. */
  #isMute(session: Session): boolean {
    return session.device === undefined && !this.#context.release.provisionSubscriptions;
  }

  #subscribe(session: Session, { subscriptions, messageId }: ISubscribePacket): void {
    const codes = subscriptions.map(({ topic: filter, qos }) => {
      const granted = this.#isAllowed(session, filter);
      this.#context.emit(session.id, { type: 'subscribe', filter, granted });
      if (!granted || this.#isMute(session)) return undefined;
      // The server grants QoS 1 at most.
      const grantedQos = qos === 0 ? 0 : 1;
      session.subscriptions.set(filter, grantedQos);
      return grantedQos;
    });
    if (this.#isMute(session)) return;
    session.suback(messageId, codes);
    const { device } = session;
    if (device !== undefined && subscriptions.some(({ topic }) => topic === RPC_FILTER)) {
      this.#context.rpc.subscribed(device);
    }
  }

  #isAllowed({ device }: Session, filter: string): boolean {
    if (device === undefined) return isProvisionFilter(filter);
    return isDeviceFilter(filter) || (this.#context.release.provisionFilterForDevices && isProvisionFilter(filter));
  }

  #unsubscribe(session: Session, { unsubscriptions, messageId }: IUnsubscribePacket): void {
    for (const filter of unsubscriptions) session.subscriptions.delete(filter);
    if (!this.#isMute(session)) session.unsuback(messageId, unsubscriptions.length);
  }

  async #publish(session: Session, { topic, payload, messageId }: IPublishPacket): Promise<void> {
    const reply = await this.#reply(session, topic, Buffer.from(payload));
    if (!session.usable) return;
    const { close, reasonCode } = reply;
    if (session.version === 5 && reasonCode !== undefined) {
      session.puback(messageId, reasonCode);
      if (reasonCode === TOPIC_NAME_INVALID) session.disconnect(reasonCode, close ?? 'refused');
      return;
    }
    // QoS 2 is acknowledged like QoS 1.
    if (reply.puback) session.puback(messageId);
    for (const message of reply.messages ?? []) session.publish(message);
    if (reply.sent !== undefined) this.#context.emit(session.id, reply.sent);
    if (close === undefined) return;
    if (reply.closeAfterMs === undefined) session.close(close);
    else session.timers.after(reply.closeAfterMs, () => session.close(close));
  }

  async #reply(session: Session, topic: string, payload: Buffer): Promise<Reply> {
    try {
      return session.device === undefined
        ? await receiveProvision(this.#context, session.id, topic, payload)
        : await receiveFromDevice(this.#context, session.id, session.device, topic, payload);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#context.emit(session.id, { type: 'backEndError', message });
      return { puback: true, close: 'the back end failed' };
    }
  }
}
