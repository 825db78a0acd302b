/**
 * A simulated ThingsBoard: the MQTT side of device provisioning and of device sessions, over real sockets. It is used
 * by tests and by `thermal-provision simulate`.
 *
 * Differences from the real server:
 * - MQTT 5 is not supported: a CONNECT of version 5 gets CONNACK 1.
 * - A PUBLISH of QoS 2 gets PUBREC (the server: PUBACK), and a subscription of QoS 2 gets QoS 2 (the server: 1).
 * - An invalid filter or topic closes the connection (the server: 0x80, or PUBACK and close).
 * - JSON is read strictly; the server's parser accepts a little more (e.g. keys without quotes).
 * - A packet above the size limit is refused after it has arrived, not at its first bytes.
 * - One tenant with one device profile; no rate limits, no cluster, no gateway API, no claiming, no firmware.
 */

import { Broker } from './broker.ts';
import type { IssuedCertificate } from './certificate.ts';
import { ATTRIBUTES, RPC_REQUEST } from './deviceTopics.ts';
import type { EventBody, SimulatorEvent } from './events.ts';
import { type Fault, FaultScript } from './faults.ts';
import { listen } from './listener.ts';
import type { Strategy } from './provisioningStrategy.ts';
import { type Attributes, type NewDevice, Registry } from './registry.ts';
import { loadRegistry, RegistryFile } from './registryFile.ts';
import type { ServerContext } from './serverContext.ts';
import { Timers } from './timers.ts';

export const DEFAULT_DEVICE_KEY = 'simulator-device-key';
export const DEFAULT_DEVICE_SECRET = 'simulator-device-secret';

export interface SimulatorOptions {
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** PEM; `generated`: a new CA and a certificate for localhost, 127.0.0.1 and ::1. Default: no TLS. */
  readonly tls?: IssuedCertificate | 'generated' | undefined;
  /** Of the device profile. Default ALLOW_CREATE_NEW_DEVICES. */
  readonly strategy?: Strategy | undefined;
  /** CHECK_PRE_PROVISIONED_DEVICES: SUCCESS again for a provisioned device (before 4.2.1.1). Default false. */
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
  /** Milliseconds for which a failing back end does not answer. Default 10,000. */
  readonly backEndTimeoutMs?: number | undefined;
  /** Milliseconds from the response to the close of the provisioning session. Default 60,000. */
  readonly provisionSessionCloseMs?: number | undefined;
  /** v3.2 to v3.8.1: no SUBACK and no UNSUBACK in the provisioning session. Default false. */
  readonly legacySuback?: boolean | undefined;
  readonly faults?: readonly Fault[] | undefined;
  /** JSON file with devices and counts, loaded at the start and rewritten on every change. Default: memory only. */
  readonly registryFile?: string | undefined;
  /** Called synchronously for each event. */
  readonly onEvent?: ((event: SimulatorEvent) => void) | undefined;
}

export interface Simulator {
  readonly port: number;
  /** `mqtt://host:port` or `mqtts://host:port`. */
  readonly url: string;
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
  const emit = (session: number, event: EventBody): void => options.onEvent?.({ session, ...event });
  // Set later: the registry notifies the file and the broker, and both need the registry.
  let file: RegistryFile | undefined;
  let broker: Broker | undefined;
  const registry = new Registry(
    () => file?.touch(),
    (device) => broker?.closeDevice(device, 'the device was deleted or its credentials were changed'),
  );
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
  const context: ServerContext = {
    registry,
    faults,
    timers,
    profile: {
      strategy: options.strategy ?? 'ALLOW_CREATE_NEW_DEVICES',
      deviceKey: options.deviceKey ?? DEFAULT_DEVICE_KEY,
      deviceSecret: options.deviceSecret ?? DEFAULT_DEVICE_SECRET,
      reprovision: options.reprovision ?? false,
      deviceLimit: options.deviceLimit ?? Number.POSITIVE_INFINITY,
    },
    times: {
      latencyMs: options.latencyMs ?? 0,
      commitDelayMs: options.commitDelayMs ?? 0,
      backEndTimeoutMs: options.backEndTimeoutMs ?? 10_000,
      provisionSessionCloseMs: options.provisionSessionCloseMs ?? 60_000,
      legacySuback: options.legacySuback ?? false,
    },
    durable: () => file?.flush() ?? Promise.resolve(),
    emit,
  };
  const started = new Broker(context);
  await started.listen();
  broker = started;
  const listener = await listen(options, (socket) => started.accept(socket)).catch(async (error: unknown) => {
    await started.close();
    await file?.close();
    throw error;
  });
  let lastRpc = 0;

  return {
    port: listener.port,
    url: listener.url,
    ...(listener.caPem === undefined ? {} : { caPem: listener.caPem }),
    registry,
    addFault: (fault) => faults.add(fault),
    pushAttributes(device, attributes) {
      registry.storeSharedAttributes(device, attributes);
      const payload = Buffer.from(JSON.stringify(attributes));
      return started.pushToDevice(device, ATTRIBUTES, { topic: ATTRIBUTES, payload });
    },
    sendRpc(device, method, params) {
      const message = {
        topic: `${RPC_REQUEST}${lastRpc + 1}`,
        payload: Buffer.from(JSON.stringify({ method, params })),
      };
      if (!started.pushToDevice(device, `${RPC_REQUEST}+`, message)) return undefined;
      lastRpc += 1;
      return lastRpc;
    },
    async close() {
      timers.stop();
      await listener.close();
      await started.close();
      await file?.close();
    },
  };
}
