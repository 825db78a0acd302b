/**
 * A simulated ThingsBoard: the MQTT side of device provisioning and of device sessions, over real sockets. It is used
 * by tests and by `thermal-provision simulate`. A test plays the recordings of two real servers against it.
 *
 * One tenant; no cluster, no gateway API, no claiming, no firmware.
 */

import type { IssuedCertificate } from './certificate.ts';
import { ATTRIBUTES } from './deviceTopics.ts';
import type { EventBody, SimulatorEvent } from './events.ts';
import { type Fault, FaultScript } from './faults.ts';
import { listen } from './listener.ts';
import { FIRST_PROFILE_ID, type Strategy } from './profileList.ts';
import { type RateLimit, RateLimiter } from './rateLimit.ts';
import { type Attributes, type NewDevice, Registry } from './registry.ts';
import { loadRegistry, RegistryFile } from './registryFile.ts';
import { RELEASES, type ReleaseName } from './release.ts';
import { startRest } from './rest.ts';
import type { ServerContext } from './serverContext.ts';
import { RPC_FILTER, ServerRpc } from './serverRpc.ts';
import { Timers } from './timers.ts';
import { Transport } from './transport.ts';

export const DEFAULT_DEVICE_KEY = 'simulator-device-key';
export const DEFAULT_DEVICE_SECRET = 'simulator-device-secret';

export interface SimulatorOptions {
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** PEM; `generated`: a new CA and a certificate for localhost, 127.0.0.1 and ::1. Default: no TLS. */
  readonly tls?: IssuedCertificate | 'generated' | undefined;
  /** Of the first device profile. Default ALLOW_CREATE_NEW_DEVICES. */
  readonly strategy?: Strategy | undefined;
  /** The ThingsBoard release to behave like. Default 4.3. */
  readonly release?: ReleaseName | undefined;
  /** CHECK_PRE_PROVISIONED_DEVICES: SUCCESS again for a provisioned device (before 4.2.1.1). Default: the release's. */
  readonly reprovision?: boolean | undefined;
  readonly deviceKey?: string | undefined;
  readonly deviceSecret?: string | undefined;
  /** Devices that an operator created beforehand. */
  readonly devices?: readonly NewDevice[] | undefined;
  /** The tenant's device limit. Default: none. */
  readonly deviceLimit?: number | undefined;
  /** Delay of PUBACK and answers in milliseconds; CONNACK is not delayed. Default 0. */
  readonly latencyMs?: number | undefined;
  /** Milliseconds from a request to its commit, which happens even if the client has disconnected. Default 0. */
  readonly commitDelayMs?: number | undefined;
  /** Milliseconds from a CONNECT to CONNACK 3 when the back end fails. Default 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Milliseconds for which a failing back end does not answer a request. Default: the release's. */
  readonly backEndTimeoutMs?: number | undefined;
  /** Milliseconds from the response to the close of the provisioning session. Default 60,000. */
  readonly provisionSessionCloseMs?: number | undefined;
  /** v3.2 to v3.8.1: no SUBACK and no UNSUBACK in the provisioning session. Default: the release's. */
  readonly legacySuback?: boolean | undefined;
  /** v3.2 to v3.4: a client certificate of no device ends the connection before CONNECT. Default: the release's. */
  readonly legacyCertificates?: boolean | undefined;
  /** The tenant's limit of messages; a connection that exceeds it is closed. Default: none. */
  readonly rateLimit?: RateLimit | undefined;
  readonly faults?: readonly Fault[] | undefined;
  /** Port of the REST calls of the administration (rest.ts); 0: any free one. Default: no REST. */
  readonly restPort?: number | undefined;
  /** Shortest time in milliseconds that a REST call gives a device for its answer. Default 5,000. */
  readonly minRpcTimeoutMs?: number | undefined;
  /** JSON file with devices and counts, loaded at the start and rewritten on every change. Default: memory only. */
  readonly registryFile?: string | undefined;
  /** Called synchronously for each event. */
  readonly onEvent?: ((event: SimulatorEvent) => void) | undefined;
}

export interface Simulator {
  readonly port: number;
  /** `mqtt://host:port` or `mqtts://host:port`. */
  readonly url: string;
  /** `http://host:port` of the REST calls. */
  readonly restUrl?: string;
  /** The CA of a generated certificate. */
  readonly caPem?: string;
  readonly registry: Registry;
  /** Adds a fault to the script. Earlier faults have priority. */
  addFault(fault: Fault): void;
  /** Sets shared attributes and sends them to the device; false if it is not connected and subscribed. */
  pushAttributes(device: string, attributes: Attributes): boolean;
  /** Sends an RPC request. Returns its id, or undefined if the device is not connected and subscribed. */
  sendRpc(device: string, method: string, params: unknown): number | undefined;
  /** Closes every connection, like a crash of the server. Requests that wait for their commit are lost. */
  close(): Promise<void>;
}

/**
 * Starts a simulator.
 * @throws Failure USAGE for an unusable registry file, certificate or key; SERVER_UNAVAILABLE when it can't listen
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const timers = new Timers();
  const release = RELEASES[options.release ?? '4.3'];
  const emit = (session: number, event: EventBody): void => options.onEvent?.({ session, ...event });
  // Set later: the registry notifies the file and the transport, and both need the registry.
  let file: RegistryFile | undefined;
  let transport: Transport | undefined;
  const registry = new Registry(
    () => file?.touch(),
    (device) => transport?.closeDevice(device, 'the device was deleted or its credentials were changed'),
  );
  registry.profiles.add({
    id: FIRST_PROFILE_ID,
    name: 'default',
    strategy: options.strategy ?? 'ALLOW_CREATE_NEW_DEVICES',
    deviceKey: options.deviceKey ?? DEFAULT_DEVICE_KEY,
    deviceSecret: options.deviceSecret ?? DEFAULT_DEVICE_SECRET,
  });
  if (options.registryFile !== undefined) {
    await loadRegistry(options.registryFile, registry);
    file = new RegistryFile(options.registryFile, registry, (error) =>
      emit(0, { type: 'backEndError', message: error instanceof Error ? error.message : String(error) }),
    );
  }
  for (const device of options.devices ?? []) {
    if (registry.find(device.name) === undefined) registry.addDevice(device);
  }
  const faults = new FaultScript(options.faults ?? [], ({ on, action }, nth) => {
    registry.count('faults');
    emit(0, { type: 'fault', on, nth, action });
  });
  const rpc = new ServerRpc((device, message) => transport?.pushToDevice(device, RPC_FILTER, message) ?? false, timers);
  const context: ServerContext = {
    rpc,
    registry,
    faults,
    timers,
    deviceLimit: options.deviceLimit ?? Number.POSITIVE_INFINITY,
    times: {
      latencyMs: options.latencyMs ?? 0,
      commitDelayMs: options.commitDelayMs ?? 0,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      backEndTimeoutMs: options.backEndTimeoutMs ?? release.backEndTimeoutMs,
      provisionSessionCloseMs: options.provisionSessionCloseMs ?? 60_000,
    },
    messages: new RateLimiter(options.rateLimit),
    release: {
      ...release,
      reprovision: options.reprovision ?? release.reprovision,
      ...(options.legacySuback === undefined ? {} : { provisionSubscriptions: !options.legacySuback }),
      ...(options.legacyCertificates === undefined ? {} : { certificatesAtConnect: !options.legacyCertificates }),
    },
    durable: () => file?.flush() ?? Promise.resolve(),
    emit,
  };
  const started = new Transport(context);
  transport = started;
  const listener = await listen(options, (socket) => started.accept(socket)).catch(async (error: unknown) => {
    await file?.close();
    throw error;
  });
  const rest =
    options.restPort === undefined
      ? undefined
      : await startRest(registry, {
          host: options.host,
          port: options.restPort,
          durable: context.durable,
          rpc,
          minRpcTimeoutMs: options.minRpcTimeoutMs,
        }).catch(async (error: unknown) => {
          await Promise.all([listener.close(), file?.close()]);
          throw error;
        });

  return {
    port: listener.port,
    url: listener.url,
    ...(rest === undefined ? {} : { restUrl: rest.url }),
    ...(listener.caPem === undefined ? {} : { caPem: listener.caPem }),
    registry,
    addFault: (fault) => faults.add(fault),
    pushAttributes(device, attributes) {
      registry.storeSharedAttributes(device, attributes);
      const payload = Buffer.from(JSON.stringify(attributes));
      return started.pushToDevice(device, ATTRIBUTES, { topic: ATTRIBUTES, payload });
    },
    sendRpc: (device, method, params) => rpc.send(device, method, params),
    async close() {
      timers.stop();
      await Promise.all([listener.close(), rest?.close()]);
      await file?.close();
    },
  };
}
