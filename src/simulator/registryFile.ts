/** The registry on disk, so that devices survive a restart of the simulator. It holds their credentials: mode 0600. */

import * as z from 'zod/mini';
import { Failure } from '../failures/failure.ts';
import { durableReplace } from '../files/durable.ts';
import { readLimited } from '../files/readLimited.ts';
import type { Device } from './registry.ts';
import { NO_COUNTS, type Registry } from './registry.ts';

/** Some 300 bytes a device: room for more than 100,000 of them. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Changes that nobody waits for (counts) are collected for so many milliseconds. */
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
]);

const documentSchema = z.object({
  version: z.literal(1),
  counts: z.partialRecord(z.string(), z.int().check(z.nonnegative())),
  devices: z.array(
    z.strictObject({
      name: z.string(),
      credentials: credentialsSchema,
      provisioned: z.boolean(),
      inProfile: z.boolean(),
    }),
  ),
});

interface RegistryDocument {
  readonly counts: Readonly<Record<string, number | undefined>>;
  readonly devices: readonly Device[];
}

function unusable(path: string, why: string, cause?: unknown): Failure {
  return new Failure('USAGE', 'simulateRegistry', { path, why }, cause);
}

function parseDocument(path: string, bytes: Buffer): RegistryDocument {
  let content: unknown;
  try {
    content = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    // Without the cause: its message may quote the text, and that holds tokens.
    throw unusable(path, `not JSON (${error instanceof Error ? error.name : 'error'})`);
  }
  const parsed = documentSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw unusable(path, `not a registry of the simulator, at ${parsed.error.issues[0]?.path.join('.') || 'the top'}`);
}

/**
 * Loads what an earlier simulator left into an empty registry; an absent file leaves it empty.
 * @throws Failure USAGE when there is a file but no registry in it
 */
export async function loadRegistry(path: string, registry: Registry): Promise<void> {
  const file = await readLimited(path, MAX_BYTES);
  if (!file.ok) {
    if (file.problem === 'absent') return;
    throw unusable(path, file.problem, file.cause);
  }
  const { counts, devices } = parseDocument(path, file.bytes);
  try {
    for (const device of devices) registry.addDevice(device);
  } catch (error) {
    throw unusable(path, error instanceof Error ? error.message : 'contradicts itself', error);
  }
  for (const name of Object.keys(NO_COUNTS)) {
    if (isCount(name)) registry.counts[name] = counts[name] ?? 0;
  }
}

const isCount = (name: string): name is keyof typeof NO_COUNTS => Object.hasOwn(NO_COUNTS, name);

/** Writes the registry after changes: one write at a time, one more for all that changed meanwhile. */
export class RegistryFile {
  readonly #path: string;
  readonly #registry: Registry;
  readonly #onError: (error: unknown) => void;
  #dirty = false;
  #collecting: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;

  /** @param onError told about a failed write that nobody waits for */
  constructor(path: string, registry: Registry, onError: (error: unknown) => void) {
    this.#path = path;
    this.#registry = registry;
    this.#onError = onError;
  }

  /** Something has changed; it is written soon. */
  touch(): void {
    this.#dirty = true;
    this.#collecting ??= setTimeout(() => {
      this.#collecting = undefined;
      this.flush().catch(this.#onError);
    }, COLLECT_MS);
  }

  /**
   * Settles when every change so far is durable.
   * @throws Failure of files/durable.ts
   */
  flush(): Promise<void> {
    if (!this.#dirty) return this.#queued ?? this.#running;
    this.#queued ??= this.#writeAfter(this.#running);
    return this.#queued;
  }

  /** Writes what is left; afterwards nothing is pending. */
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
    const devices = this.#registry.devices().map(({ name, credentials, provisioned, inProfile }) => ({
      name,
      credentials,
      provisioned,
      inProfile,
    }));
    const document = { version: 1, counts: this.#registry.counts, devices };
    try {
      await durableReplace(this.#path, Buffer.from(`${JSON.stringify(document)}\n`), { mode: 0o600 });
    } catch (error) {
      this.#dirty = true;
      throw error;
    }
  }
}
