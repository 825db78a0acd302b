/** The MQTT broker aedes, adapted to behave like ThingsBoard's MQTT transport. */

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { AedesOptions, Client, PublishPacket } from 'aedes';
import { Aedes } from 'aedes';
import { authenticateDevice, isProvisioning } from './deviceAuthentication.ts';
import { isDeviceFilter, receiveFromDevice } from './deviceTopics.ts';
import type { RefusalCode } from './faults.ts';
import { isProvisionFilter, receiveProvision } from './provisionTopics.ts';
import type { Message, Reply, ServerContext } from './serverContext.ts';
import { Session } from './session.ts';
import { EmptyPersistence, NO_FILTER, unroutedEmitter } from './unroutedBroker.ts';

/** Remaining length of a packet (docs/thingsboard.md, section 1, "limits"). */
const MAX_PACKET_BYTES = 65_536;
/** Packets that may arrive before CONNACK is sent (docs/thingsboard.md, section 1). */
const MAX_EARLY_PACKETS = 100;
/** A device's session is closed after this time without a packet (docs/thingsboard.md, section 6). */
const INACTIVITY_MS = 600_000;

type Hook<Name extends keyof AedesOptions> = NonNullable<AedesOptions[Name]>;
type AuthenticationDone = Parameters<Hook<'authenticate'>>[3];

const isProvisionSession = (session: Session): boolean =>
  session.connect !== undefined && isProvisioning(session.connect.identity);

export class Broker {
  readonly #context: ServerContext;
  readonly #aedes: Aedes;
  readonly #sessions = new Map<string, Session>();
  readonly #sessionOf = new WeakMap<Client, Session>();
  readonly #sessionOfDevice = new Map<string, Session>();
  #lastSession = 0;

  constructor(context: ServerContext) {
    this.#context = context;
    this.#aedes = new Aedes({
      mq: unroutedEmitter,
      persistence: new EmptyPersistence({
        sessionPresent: (clientId) => this.#sessions.get(clientId)?.connect?.clean === false,
        acknowledgesUnsubscribe: (clientId) => !this.#isMute(this.#sessions.get(clientId)),
      }),
      queueLimit: MAX_EARLY_PACKETS,
      preConnect: (client, packet, callback) => this.#preConnect(client, packet, callback),
      authenticate: (client, _username, _password, done) => {
        const session = this.#sessionOf.get(client);
        if (session !== undefined) void this.#authenticate(session, done);
      },
      authorizePublish: (client, packet, callback) => {
        const session = client === null ? undefined : this.#sessionOf.get(client);
        if (session !== undefined) void this.#receive(session, packet, callback);
      },
      authorizeSubscribe: (client, subscription, callback) => this.#authorizeSubscribe(client, subscription, callback),
    });
    this.#aedes.on('connackSent', ({ returnCode = 0 }, client) => this.#connackSent(client, returnCode));
    this.#aedes.on('unsubscribe', (filters, client) => {
      for (const filter of filters) this.#sessionOf.get(client)?.subscriptions.delete(filter);
    });
  }

  listen(): Promise<void> {
    return this.#aedes.listen();
  }

  /** Takes over an accepted connection, for TLS after its handshake. */
  accept(socket: Socket): void {
    this.#lastSession += 1;
    const session = new Session(this.#lastSession, this.#aedes.handle(socket), socket);
    this.#sessionOf.set(session.client, session);
    this.#sessions.set(session.uniqueClientId, session);
    socket.on('close', () => this.#closed(session));
  }

  /** Closes the session of a device, if there is one. */
  closeDevice(device: string, why: string): void {
    this.#sessionOfDevice.get(device)?.close(why);
  }

  /** Sends to a device; false if it is not connected or not subscribed to `filter`. */
  pushToDevice(device: string, filter: string, message: Message): boolean {
    const session = this.#sessionOfDevice.get(device);
    if (session === undefined || !session.usable || !session.subscriptions.has(filter)) return false;
    void session.publish(message);
    return true;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#aedes.close(() => resolve()));
  }

  /** Whether this session gets no SUBACK and no UNSUBACK. */
  #isMute(session: Session | undefined): boolean {
    return this.#context.times.legacySuback && session !== undefined && isProvisionSession(session);
  }

  #preConnect(...[client, packet, callback]: Parameters<Hook<'preConnect'>>): void {
    const session = this.#sessionOf.get(client);
    if (session === undefined) return;
    const peer = session.socket instanceof TLSSocket ? session.socket.getPeerX509Certificate() : undefined;
    const { clientId, username, password } = packet;
    session.connect = {
      identity: {
        clientId,
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password: password.toString('utf8') }),
        ...(peer === undefined ? {} : { certificate: peer.raw }),
      },
      clean: packet.clean !== false,
    };
    packet.clientId = session.uniqueClientId;
    packet.keepalive = 0;
    delete packet.will;
    // aedes asks the persistence before UNSUBACK only if the session is not clean. EmptyPersistence then blocks it.
    if (this.#isMute(session)) packet.clean = false;
    callback(null, true);
  }

  async #authenticate(session: Session, done: AuthenticationDone): Promise<void> {
    const { registry, faults, timers, emit } = this.#context;
    const identity = session.connect?.identity ?? { clientId: '' };
    const provisioning = isProvisioning(identity);
    registry.count('connects');
    emit(session.id, { type: 'connect', kind: provisioning ? 'provision' : 'device' });
    const fault = faults.nextConnect(provisioning ? 'provisionConnect' : 'deviceConnect');
    if (fault?.action === 'close') return session.close('a scripted fault');
    if (fault?.action === 'stallConnack') {
      if (fault.ms === undefined) return;
      await timers.wait(fault.ms);
    }
    if (fault?.action === 'refuse') return this.#refuse(fault.code, done);
    if (fault?.action === 'acceptThenClose') {
      void session.opened.then(() => session.timers.after(fault.ms ?? 0, () => session.close('a scripted fault')));
    }
    if (provisioning) {
      registry.count('provisionConnects');
      return done(null, true);
    }
    const result = authenticateDevice(identity, (key) => registry.findByCredentials(key), Date.now());
    if ('refused' in result) return this.#refuse(result.refused, done);
    registry.count('deviceConnects');
    session.device = result.device;
    done(null, true);
  }

  #refuse(code: RefusalCode, done: AuthenticationDone): void {
    this.#context.registry.count('refusedConnects');
    done(Object.assign(new Error('refused'), { returnCode: code }), null);
  }

  #connackSent(client: Client, code: number): void {
    const session = this.#sessionOf.get(client);
    if (session === undefined) return;
    const { device } = session;
    this.#context.emit(session.id, { type: 'connack', code, ...(device === undefined ? {} : { device }) });
    if (code !== 0) return;
    if (device !== undefined) this.#startDeviceSession(session, device);
    session.open();
  }

  #startDeviceSession(session: Session, device: string): void {
    this.#sessionOfDevice.get(device)?.close('a newer session of the device');
    this.#sessionOfDevice.set(device, session);
    session.socket.setTimeout(INACTIVITY_MS, () => session.close('no packet for 10 minutes'));
    if (this.#context.registry.find(device) === undefined) session.close('the device was deleted');
  }

  #closed(session: Session): void {
    session.timers.stop();
    this.#sessions.delete(session.uniqueClientId);
    const { device, closeReason } = session;
    if (device !== undefined && this.#sessionOfDevice.get(device) === session) this.#sessionOfDevice.delete(device);
    this.#context.emit(session.id, {
      type: 'close',
      by: closeReason === undefined ? 'client' : 'server',
      why: closeReason ?? 'closed by the client, or not MQTT',
    });
  }

  #authorizeSubscribe(...[client, subscription, callback]: Parameters<Hook<'authorizeSubscribe'>>): void {
    const session = this.#sessionOf.get(client);
    if (session === undefined || subscription.topic === NO_FILTER) {
      callback(null, null);
      return;
    }
    // Waits for CONNACK: before it the kind of session is not known.
    void session.opened.then(() => {
      const filter = subscription.topic;
      const granted = session.device === undefined ? isProvisionFilter(filter) : isDeviceFilter(filter);
      if (granted) session.subscriptions.set(filter, subscription.qos === 0 ? 0 : 1);
      this.#context.emit(session.id, { type: 'subscribe', filter, granted });
      if (this.#isMute(session)) return;
      callback(null, granted ? subscription : null);
    });
  }

  /** @param acknowledge writes PUBACK synchronously; not called if there is no PUBACK */
  async #receive(session: Session, packet: PublishPacket, acknowledge: (error: null) => void): Promise<void> {
    // aedes may pass on a packet that directly follows CONNECT before it has handled the CONNECT.
    await session.opened;
    if ((packet.length ?? 0) > MAX_PACKET_BYTES) return session.close('a packet larger than 65536 bytes');
    const reply = await this.#reply(session, packet.topic, Buffer.from(packet.payload));
    if (!session.usable) return;
    if (reply.puback) acknowledge(null);
    for (const message of reply.messages ?? []) await session.publish(message);
    if (reply.sent !== undefined) this.#context.emit(session.id, reply.sent);
    const { close } = reply;
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
