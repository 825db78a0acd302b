/** The simulated server's storage: devices, indexed by name and by credentials, their messages, and counts. */

import { randomUUID } from 'node:crypto';
import { Failure } from '../failures/failure.ts';
import type { Credentials } from './credentials.ts';
import { credentialsKey, credentialsProblem, randomAlphanumeric, x509 } from './credentials.ts';
import { FIRST_PROFILE_ID, ProfileList } from './profileList.ts';

export interface Device {
  /** UUID. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly createdTime: number;
  readonly name: string;
  readonly credentials: Credentials;
  /** The server attribute `provisionState`: set by provisioning, deleted by an operator. */
  readonly provisioned: boolean;
  /** Id of its device profile. */
  readonly profile: string;
  /** Registered as a gateway; the server keeps it in the device's additionalInfo. */
  readonly gateway?: true;
}

/**
 * A device as an operator creates it. Without credentials the server generates a token. Without a profile the device
 * gets the first one. A device from a file has an id and a time.
 */
export interface NewDevice {
  readonly id?: string;
  readonly createdTime?: number;
  readonly name: string;
  readonly credentials?: Credentials;
  readonly provisioned?: boolean;
  readonly profile?: string;
  readonly gateway?: boolean;
}

/** A device as tests check it. */
export interface DeviceView extends Device {
  readonly credentialsType: Credentials['type'];
  /** The access token, if it has one. */
  readonly token?: string;
}

export const NO_COUNTS = {
  connects: 0,
  provisionConnects: 0,
  /** Accepted connections of devices. */
  deviceConnects: 0,
  /** CONNACK codes other than 0. */
  refusedConnects: 0,
  provisionRequests: 0,
  successes: 0,
  failures: 0,
  notFound: 0,
  attributeRequests: 0,
  attributeMessages: 0,
  telemetryMessages: 0,
  rpcResponses: 0,
  faults: 0,
};
export type Counts = { [key in keyof typeof NO_COUNTS]: number };
export type Attributes = Readonly<Record<string, unknown>>;

/** The server's default: a device that is silent longer is not active. */
const INACTIVITY_MS = 600_000;

/** Number of messages of one device that are kept for tests; older ones are dropped. */
export const MAX_TELEMETRY = 500;

export class Registry {
  readonly counts: Counts = { ...NO_COUNTS };
  readonly profiles: ProfileList;
  readonly #devices = new Map<string, Device>();
  readonly #nameByCredentials = new Map<string, string>();
  readonly #telemetry = new Map<string, unknown[]>();
  readonly #clientAttributes = new Map<string, Attributes>();
  readonly #sharedAttributes = new Map<string, Attributes>();
  readonly #lastConnectTime = new Map<string, number>();
  readonly #onChange: () => void;
  readonly #onInvalidated: (name: string) => void;

  /**
   * @param onChange called when devices, profiles or counts have changed
   * @param onInvalidated called when a device was deleted or has new credentials, so that its session ends
   */
  constructor(onChange: () => void = () => {}, onInvalidated: (name: string) => void = () => {}) {
    this.#onChange = onChange;
    this.#onInvalidated = onInvalidated;
    this.profiles = new ProfileList(onChange);
  }

  get size(): number {
    return this.#devices.size;
  }

  devices(): readonly DeviceView[] {
    return [...this.#devices.values()].map((device) => ({
      ...device,
      credentialsType: device.credentials.type,
      ...(device.credentials.type === 'ACCESS_TOKEN' ? { token: device.credentials.token } : {}),
    }));
  }

  find(name: string): Device | undefined {
    return this.#devices.get(name);
  }

  findById(id: string): Device | undefined {
    for (const device of this.#devices.values()) if (device.id === id) return device;
    return undefined;
  }

  /** @param key from `credentialsKey` */
  findByCredentials(key: string): Device | undefined {
    const name = this.#nameByCredentials.get(key);
    return name === undefined ? undefined : this.#devices.get(name);
  }

  /** @throws Failure USAGE when the name or the credentials are taken or invalid */
  addDevice(device: NewDevice): void {
    const credentials = stored(device.credentials ?? { type: 'ACCESS_TOKEN', token: randomAlphanumeric() });
    const { name, provisioned = false, profile = FIRST_PROFILE_ID } = device;
    const gateway = device.gateway === true ? { gateway: true as const } : {};
    const { id = randomUUID(), createdTime = Date.now() } = device;
    if (this.#devices.has(name)) throw new Failure('USAGE', 'simulateNameTaken', { name });
    this.#requireFree(name, credentials);
    this.#devices.set(name, { id, createdTime, name, credentials, provisioned, profile, ...gateway });
    this.#nameByCredentials.set(credentialsKey(credentials), name);
    this.#onChange();
  }

  /** Deletes a device and its messages; false if no device has this name. */
  deleteDevice(name: string): boolean {
    const device = this.#devices.get(name);
    if (device === undefined) return false;
    this.#devices.delete(name);
    this.#nameByCredentials.delete(credentialsKey(device.credentials));
    this.#telemetry.delete(name);
    this.#clientAttributes.delete(name);
    this.#sharedAttributes.delete(name);
    this.#lastConnectTime.delete(name);
    this.#onInvalidated(name);
    this.#onChange();
    return true;
  }

  /** Gives a device a new token, as an operator can. @throws Failure USAGE when it is taken, or no such device */
  setToken(name: string, token: string): void {
    this.setCredentials(name, { type: 'ACCESS_TOKEN', token });
  }

  /** Gives a device new credentials. @throws Failure USAGE when they are taken or invalid, or no such device */
  setCredentials(name: string, given: Credentials): void {
    const device = this.#require(name);
    const credentials = stored(given);
    this.#requireFree(name, credentials);
    this.#nameByCredentials.delete(credentialsKey(device.credentials));
    this.#nameByCredentials.set(credentialsKey(credentials), name);
    this.#devices.set(name, { ...device, credentials });
    this.#onInvalidated(name);
    this.#onChange();
  }

  markProvisioned(name: string): void {
    this.#devices.set(name, { ...this.#require(name), provisioned: true });
    this.#onChange();
  }

  /** Lets a pre-provisioned device be provisioned again, as an operator can. @throws Failure USAGE if no such device */
  deleteProvisionState(name: string): void {
    this.#devices.set(name, { ...this.#require(name), provisioned: false });
    this.#onChange();
  }

  /** A device has connected with its credentials. */
  markConnected(name: string): void {
    this.#lastConnectTime.set(name, Date.now());
  }

  /** Milliseconds since the epoch; undefined: never, since the simulator runs. */
  lastConnectTime(name: string): number | undefined {
    return this.#lastConnectTime.get(name);
  }

  /** Whether a device has connected recently. The real server counts messages, too. */
  isActive(name: string): boolean {
    const time = this.#lastConnectTime.get(name);
    return time !== undefined && Date.now() - time < INACTIVITY_MS;
  }

  count(what: keyof Counts): number {
    this.counts[what] += 1;
    this.#onChange();
    return this.counts[what];
  }

  /** The latest telemetry messages of a device, at most MAX_TELEMETRY. */
  telemetry(name: string): readonly unknown[] {
    return this.#telemetry.get(name) ?? [];
  }

  storeTelemetry(name: string, message: unknown): void {
    if (!this.#devices.has(name)) return;
    const messages = this.#telemetry.get(name) ?? [];
    messages.push(message);
    if (messages.length > MAX_TELEMETRY) messages.shift();
    this.#telemetry.set(name, messages);
  }

  /** The client attributes that a device published. */
  attributes(name: string): Attributes {
    return this.#clientAttributes.get(name) ?? {};
  }

  storeAttributes(name: string, attributes: Attributes): void {
    if (this.#devices.has(name)) this.#clientAttributes.set(name, { ...this.attributes(name), ...attributes });
  }

  /** The shared attributes that an operator set. */
  sharedAttributes(name: string): Attributes {
    return this.#sharedAttributes.get(name) ?? {};
  }

  storeSharedAttributes(name: string, attributes: Attributes): void {
    this.#require(name);
    this.#sharedAttributes.set(name, { ...this.sharedAttributes(name), ...attributes });
  }

  #require(name: string): Device {
    const device = this.#devices.get(name);
    if (device === undefined) throw new Failure('USAGE', 'simulateNoDevice', { name });
    return device;
  }

  #requireFree(name: string, credentials: Credentials): void {
    const problem = credentialsProblem(credentials);
    if (problem !== undefined) throw new Failure('USAGE', 'simulateCredentials', { name, problem });
    const holder = this.#nameByCredentials.get(credentialsKey(credentials));
    if (holder !== undefined && holder !== name) throw new Failure('USAGE', 'simulateCredentialsTaken', { name });
  }
}

/** A certificate may be given as PEM, too. */
const stored = (credentials: Credentials): Credentials =>
  credentials.type === 'X509_CERTIFICATE' ? x509(credentials.certificate) : credentials;
