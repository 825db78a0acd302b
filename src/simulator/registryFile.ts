/** The registry on disk, so that devices survive a restart. The file holds credentials, so it has mode 0600. */

import * as z from 'zod/mini';
import { Failure } from '../failures/failure.ts';
import { durableReplace } from '../files/durable.ts';
import { readLimited } from '../files/readLimited.ts';
import { type DeviceProfile, FIRST_PROFILE_ID, STRATEGIES } from './profileList.ts';
import type { NewDevice } from './registry.ts';
import { NO_COUNTS, type Registry } from './registry.ts';

/** About 300 bytes per device: enough for more than 100,000 devices. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Milliseconds for which changes of counts are collected before they are written. */
const COLLECT_MS = 100;

const credentialsSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ACCESS_TOKEN'), token: z.string() }),
  z.strictObject({
    type: z.literal('MQTT_BASIC'),
    clientId: z.exactOptional(z.string()),
    userName: z.exactOptional(z.string()),
    password: z.exactOptional(z.string()),
  }),
  z.strictObject({ type: z.literal('X509_CERTIFICATE'), certificate: z.string() }),
  z.strictObject({ type: z.literal('LWM2M_CREDENTIALS'), endpoint: z.string() }),
]);

const countsSchema = z.partialRecord(z.string(), z.int().check(z.nonnegative()));

const documentSchema = z.discriminatedUnion('version', [
  z.object({
    version: z.literal(2),
    counts: countsSchema,
    /** Without the first profile, which comes from the options of each start. */
    profiles: z.array(
      z.strictObject({
        id: z.string(),
        name: z.string(),
        strategy: z.enum(STRATEGIES),
        deviceKey: z.string(),
        deviceSecret: z.string(),
      }),
    ),
    devices: z.array(
      z.strictObject({
        id: z.string(),
        createdTime: z.number(),
        name: z.string(),
        credentials: credentialsSchema,
        provisioned: z.boolean(),
        profile: z.string(),
        gateway: z.exactOptional(z.literal(true)),
      }),
    ),
  }),
  /** Before there were several profiles. */
  z.object({
    version: z.literal(1),
    counts: countsSchema,
    devices: z.array(
      z.strictObject({
        name: z.string(),
        credentials: credentialsSchema,
        provisioned: z.boolean(),
        inProfile: z.boolean(),
      }),
    ),
  }),
]);

/** The profile of devices that a file of version 1 has outside of the only profile. No key belongs to it. */
const OTHER_PROFILE_ID = '00000000-0000-4000-8000-000000000002';

interface RegistryDocument {
  readonly counts: Readonly<Record<string, number | undefined>>;
  readonly profiles: readonly DeviceProfile[];
  readonly devices: readonly NewDevice[];
}

function currentDocument(document: z.infer<typeof documentSchema>): RegistryDocument {
  if (document.version === 2) return document;
  const devices = document.devices.map(({ inProfile, ...device }) => ({
    ...device,
    profile: inProfile ? FIRST_PROFILE_ID : OTHER_PROFILE_ID,
  }));
  return { counts: document.counts, profiles: [], devices };
}

function unusable(path: string, why: string, cause?: unknown): Failure {
  return new Failure('USAGE', 'simulateRegistry', { path, why }, cause);
}

function parseDocument(path: string, bytes: Buffer): RegistryDocument {
  let content: unknown;
  try {
    content = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    // The cause is left out: its message may quote the text, which holds tokens.
    throw unusable(path, `not JSON (${error instanceof Error ? error.name : 'error'})`);
  }
  const parsed = documentSchema.safeParse(content);
  if (parsed.success) return currentDocument(parsed.data);
  throw unusable(path, `not a simulator registry, at ${parsed.error.issues[0]?.path.join('.') || 'the top'}`);
}

/**
 * Loads the registry file of an earlier simulator into a registry without devices. Without a file the registry stays empty.
 * @throws Failure USAGE when the file does not hold a registry
 */
export async function loadRegistry(path: string, registry: Registry): Promise<void> {
  const file = await readLimited(path, MAX_BYTES);
  if (!file.ok) {
    if (file.problem === 'absent') return;
    throw unusable(path, file.problem, file.cause);
  }
  const { counts, profiles, devices } = parseDocument(path, file.bytes);
  for (const profile of profiles) {
    const problem = registry.profiles.add(profile);
    if (problem !== undefined) throw unusable(path, problem);
  }
  try {
    for (const device of devices) registry.addDevice(device);
  } catch (error) {
    throw unusable(path, error instanceof Error ? error.message : 'inconsistent', error);
  }
  for (const name of Object.keys(NO_COUNTS)) {
    if (isCount(name)) registry.counts[name] = counts[name] ?? 0;
  }
}

const isCount = (name: string): name is keyof typeof NO_COUNTS => Object.hasOwn(NO_COUNTS, name);

/** Writes the registry after changes. Only one write runs at a time; the next one includes all changes since then. */
export class RegistryFile {
  readonly #path: string;
  readonly #registry: Registry;
  readonly #onError: (error: unknown) => void;
  #dirty = false;
  #collecting: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;

  /** @param onError called when a write in the background fails */
  constructor(path: string, registry: Registry, onError: (error: unknown) => void) {
    this.#path = path;
    this.#registry = registry;
    this.#onError = onError;
  }

  /** Marks the registry as changed. It is written soon. */
  touch(): void {
    this.#dirty = true;
    this.#collecting ??= setTimeout(() => {
      this.#collecting = undefined;
      this.flush().catch(this.#onError);
    }, COLLECT_MS);
  }

  /**
   * Resolves when every change so far is durable.
   * @throws Failure of files/durable.ts
   */
  flush(): Promise<void> {
    if (!this.#dirty) return this.#queued ?? this.#running;
    this.#queued ??= this.#writeAfter(this.#running);
    return this.#queued;
  }

  /** Writes pending changes. Afterwards no write is pending. */
  async close(): Promise<void> {
    clearTimeout(this.#collecting);
    this.#collecting = undefined;
    await this.flush();
  }

  async #writeAfter(previous: Promise<void>): Promise<void> {
    await previous.catch(() => {});
    this.#queued = undefined;
    this.#running = this.#write();
    await this.#running;
  }

  async #write(): Promise<void> {
    this.#dirty = false;
    const devices = this.#registry
      .devices()
      .map(({ id, createdTime, name, credentials, provisioned, profile, gateway }) => ({
        id,
        createdTime,
        name,
        credentials,
        provisioned,
        profile,
        gateway,
      }));
    const profiles = this.#registry.profiles.all().filter(({ id }) => id !== FIRST_PROFILE_ID);
    const document = { version: 2, counts: this.#registry.counts, profiles, devices };
    try {
      await durableReplace(this.#path, Buffer.from(`${JSON.stringify(document)}\n`), { mode: 0o600 });
    } catch (error) {
      this.#dirty = true;
      throw error;
    }
  }
}
