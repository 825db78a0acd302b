/** What one scenario works with: its own device profiles and cameras, which are removed after it. */

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReleaseName } from '../../../src/simulator/release.ts';
import type { Administration, ServerDevice, ServerProfile } from './administration.ts';
import type { MqttEndpoint } from './arguments.ts';
import { type AgentEnd, Camera, type CameraOptions } from './camera.ts';
import { check } from './check.ts';
import type { RestLogin } from './restClient.ts';
import { eventually } from './waiting.ts';

export type ScenarioStrategy = 'ALLOW_CREATE_NEW_DEVICES' | 'CHECK_PRE_PROVISIONED_DEVICES' | 'DISABLED';

export interface StageOptions {
  /** main.js of the agent. */
  readonly program: string;
  /** packaging/thingsboard/setup-profile.sh */
  readonly setupScript: string;
  readonly mqtt: MqttEndpoint;
  readonly tls?: MqttEndpoint & { readonly ca: string | undefined };
  readonly rest: RestLogin;
  /** How the server must behave where releases differ; absent: any known behaviour is right. */
  readonly release?: ReleaseName;
  readonly agents: number;
  readonly kills: number;
  readonly workers: number;
  /** Begins every name on the server: lower-case letters, digits and hyphens. */
  readonly run: string;
  /** Says how far a long scenario is. */
  readonly progress: (text: string) => void;
}

/** The server may show a device late. */
const COUNT_LIMIT_MS = 20_000;
/** A request that is still on its way could make a device too many after the count was right. */
const SETTLE_MS = 400;

const random = (): string => randomBytes(10).toString('hex');

export class Stage {
  readonly options: StageOptions;
  /** Calls end with the scenario. */
  readonly administration: Administration;
  readonly #profiles: Promise<ServerProfile>[] = [];
  readonly #announced: string[] = [];
  readonly #cameras: Camera[] = [];
  /** Removed after the scenario. */
  readonly folder: Promise<string>;
  #closed = false;

  constructor(options: StageOptions, administration: Administration) {
    this.options = options;
    this.administration = administration;
    this.folder = mkdtemp(join(tmpdir(), 'thermal-acceptance-'));
  }

  /** A device profile with a random key and secret. */
  profile(strategy: ScenarioStrategy = 'ALLOW_CREATE_NEW_DEVICES'): Promise<ServerProfile> {
    if (this.#closed) throw new Error('The scenario has ended');
    const name = `acceptance-${this.options.run}-${this.#profiles.length + 1}`;
    const made = this.administration.makeProfile(strategy, { name, key: random(), secret: random() });
    this.#profiles.push(made);
    return made;
  }

  /** The name of a profile that something else is going to make. It is counted and removed like the others. */
  announceProfile(): string {
    const name = `acceptance-${this.options.run}-announced-${this.#announced.length + 1}`;
    this.#announced.push(name);
    return name;
  }

  /** A name that no device of the server has. */
  name(what: string): string {
    return `${this.options.run}-${what}`;
  }

  /** A camera with a request to be provisioned in this profile. */
  async camera(profile: ServerProfile, options: Partial<CameraOptions> = {}): Promise<Camera> {
    const { key, secret } = profile;
    const camera = new Camera(this.options.program, join(await this.folder, String(this.#cameras.length)), {
      key,
      secret,
      server: this.options.mqtt,
      prefix: this.options.run,
      ...options,
    });
    if (this.#closed) throw new Error('The scenario has ended');
    this.#cameras.push(camera);
    await camera.prepare();
    return camera;
  }

  /** Checks that a run succeeded, and that camera and server agree about the device. @returns the device */
  async checkProvisioned(camera: Camera, end: AgentEnd, profile: ServerProfile): Promise<ServerDevice> {
    check(end.status, 0, 'exit status', end.tail);
    const { host, port, token, name } = await camera.configured();
    const { server } = camera.options;
    check(`${host} ${port}`, `${server.host} ${server.port}`, 'server in thermal_config.json');
    if (camera.options.name !== undefined) check(name, camera.options.name, 'device in thermal_config.json');
    check((await camera.leftovers()).join(', '), '', 'leftovers in the device folder');
    const device = await eventually(`device ${name}`, () => this.administration.findDevice(name));
    check(device.profileId, profile.id, `profile of device ${name}`);
    const same = (await this.administration.tokenOf(device)) === token;
    check(same ? 'equal' : 'different', 'equal', 'tokens of thermal_config.json and server');
    return device;
  }

  /** All devices in the profiles of this scenario. */
  async devices(): Promise<readonly ServerDevice[]> {
    const found: ServerDevice[] = [];
    const announced = await announcedProfiles(this.#announced, this.administration);
    for (const profile of [...(await Promise.all(this.#profiles)), ...announced]) {
      found.push(...(await this.administration.devicesOf(profile)));
    }
    return found;
  }

  /** Waits until the profiles have this number of devices, or more. @returns their number a moment later */
  async settledCount(expected: number): Promise<number> {
    const enough = async (): Promise<true | undefined> =>
      (await this.devices()).length >= expected ? true : undefined;
    // Too few devices are counted once more, like too many: the caller compares.
    await eventually(`${expected} devices`, enough, COUNT_LIMIT_MS).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return (await this.devices()).length;
  }

  /** Ends what still runs, and removes the folders. */
  async stop(): Promise<void> {
    this.#closed = true;
    for (const camera of this.#cameras) camera.close();
    await rm(await this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Removes the profiles with their devices. @param administration whose calls do not end with the scenario */
  async clear(administration: Administration): Promise<void> {
    for (const made of await Promise.allSettled(this.#profiles)) {
      if (made.status === 'fulfilled') await administration.removeProfile(made.value);
    }
    for (const profile of await announcedProfiles(this.#announced, administration)) {
      await administration.removeProfile(profile);
    }
  }
}

/** Those that exist. */
async function announcedProfiles(
  names: readonly string[],
  administration: Administration,
): Promise<readonly ServerProfile[]> {
  const found = await Promise.all(names.map((name) => administration.findProfile(name)));
  return found.filter((profile) => profile !== undefined);
}
