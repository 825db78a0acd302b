/** What the suite does on the server as its administrator (docs/thingsboard.md, section 7). */

import * as z from 'zod/mini';
import type { Strategy } from '../../../src/simulator/profileList.ts';
import { inParallel } from '../certify/inParallel.ts';
import { type RestClient, RestError } from './restClient.ts';
import { eventually } from './waiting.ts';

export interface ServerProfile {
  readonly id: string;
  readonly name: string;
  readonly key: string;
  readonly secret: string;
}

export interface ServerDevice {
  readonly id: string;
  readonly name: string;
}

/** Small, so that the suite turns pages. */
const PAGE_SIZE = 40;
const MAX_PAGES = 1000;
const DELETIONS_AT_ONCE = 4;
const ASK_LIMIT_MS = 10_000;

const idSchema = z.object({ id: z.string() });
const deviceSchema = z.object({ id: idSchema, name: z.string(), deviceProfileId: idSchema });
const pageSchema = z.object({ data: z.array(deviceSchema), totalElements: z.number(), hasNext: z.boolean() });
const profileInfosSchema = z.object({ data: z.array(z.object({ id: idSchema, name: z.string() })) });
const profileSchema = z.object({
  id: idSchema,
  name: z.string(),
  provisionDeviceKey: z.string(),
  profileData: z.object({ provisionConfiguration: z.object({ provisionDeviceSecret: z.string() }) }),
});
const credentialsSchema = z.object({ credentialsType: z.string(), credentialsId: z.nullish(z.string()) });
const attributesSchema = z.array(z.object({ key: z.string(), value: z.unknown() }));
const telemetrySchema = z.record(z.string(), z.array(z.object({ ts: z.number(), value: z.unknown() })));

export class Administration {
  readonly #rest: RestClient;

  constructor(rest: RestClient) {
    this.#rest = rest;
  }

  /** @throws RestError when the user is not an administrator of a tenant */
  async checkAccess(): Promise<void> {
    await this.#rest.call('GET', '/api/deviceProfileInfos?pageSize=1&page=0');
  }

  /** @param profile without its id */
  async makeProfile(strategy: Strategy, profile: Omit<ServerProfile, 'id'>): Promise<ServerProfile> {
    const { name, key, secret } = profile;
    const made = await this.#rest.call('POST', '/api/deviceProfile', {
      name,
      type: 'DEFAULT',
      transportType: 'DEFAULT',
      provisionType: strategy,
      provisionDeviceKey: key,
      profileData: {
        configuration: { type: 'DEFAULT' },
        transportConfiguration: { type: 'DEFAULT' },
        provisionConfiguration: { type: strategy, provisionDeviceSecret: secret },
      },
    });
    return { ...profile, id: z.parse(z.object({ id: idSchema }), made).id.id };
  }

  /** The device profile with this name, if the tenant has one. The name is not a part of another profile's name. */
  async findProfile(name: string): Promise<ServerProfile | undefined> {
    const path = `/api/deviceProfileInfos?pageSize=5&page=0&textSearch=${encodeURIComponent(name)}`;
    const { data } = z.parse(profileInfosSchema, await this.#rest.call('GET', path));
    const info = data.find((one) => one.name === name);
    if (info === undefined) return undefined;
    const found = z.parse(profileSchema, await this.#rest.call('GET', `/api/deviceProfile/${info.id.id}`));
    const { provisionDeviceSecret: secret } = found.profileData.provisionConfiguration;
    return { id: info.id.id, name, key: found.provisionDeviceKey, secret };
  }

  async createDevice(profile: ServerProfile, name: string, token: string): Promise<ServerDevice> {
    const deviceProfileId = { entityType: 'DEVICE_PROFILE', id: profile.id };
    const path = `/api/device?accessToken=${encodeURIComponent(token)}`;
    const made = z.parse(deviceSchema, await this.#rest.call('POST', path, { name, deviceProfileId }));
    return { id: made.id.id, name };
  }

  /** The device with this name, if the tenant has one, and the id of its profile. */
  async findDevice(name: string): Promise<(ServerDevice & { readonly profileId: string }) | undefined> {
    try {
      const found = await this.#rest.call('GET', `/api/tenant/devices?deviceName=${encodeURIComponent(name)}`);
      const { id, deviceProfileId } = z.parse(deviceSchema, found);
      return { id: id.id, name, profileId: deviceProfileId.id };
    } catch (error) {
      if (error instanceof RestError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** All devices of a profile. */
  async devicesOf({ id }: ServerProfile): Promise<readonly ServerDevice[]> {
    const found = new Map<string, ServerDevice>();
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const query = `pageSize=${PAGE_SIZE}&page=${page}&sortProperty=name&sortOrder=ASC&deviceProfileId=${id}`;
      const { data, hasNext } = z.parse(pageSchema, await this.#rest.call('GET', `/api/tenant/deviceInfos?${query}`));
      for (const device of data) found.set(device.id.id, { id: device.id.id, name: device.name });
      if (!hasNext) return [...found.values()];
    }
    throw new Error(`The profile has more than ${MAX_PAGES} pages of devices`);
  }

  /** The access token of a device; undefined: it has other credentials. */
  async tokenOf({ id }: ServerDevice): Promise<string | undefined> {
    const answer = z.parse(credentialsSchema, await this.#rest.call('GET', `/api/device/${id}/credentials`));
    return answer.credentialsType === 'ACCESS_TOKEN' ? (answer.credentialsId ?? undefined) : undefined;
  }

  /** Sends a two-way request to a connected device. @returns its answer */
  async ask({ id }: ServerDevice, method: string): Promise<unknown> {
    return this.#rest.call('POST', `/api/rpc/twoway/${id}`, { method, params: {}, timeout: ASK_LIMIT_MS });
  }

  async attributesOf({ id }: ServerDevice, scope: 'CLIENT' | 'SERVER'): Promise<ReadonlyMap<string, unknown>> {
    const path = `/api/plugins/telemetry/DEVICE/${id}/values/attributes/${scope}_SCOPE`;
    const attributes = z.parse(attributesSchema, await this.#rest.call('GET', path));
    return new Map(attributes.map(({ key, value }) => [key, value]));
  }

  async deleteServerAttribute({ id }: ServerDevice, key: string): Promise<void> {
    await this.#rest.call('DELETE', `/api/plugins/telemetry/DEVICE/${id}/SERVER_SCOPE?keys=${key}`);
  }

  /** The latest value of each key. */
  async telemetryOf({ id }: ServerDevice): Promise<ReadonlyMap<string, unknown>> {
    const answer = await this.#rest.call('GET', `/api/plugins/telemetry/DEVICE/${id}/values/timeseries`);
    return new Map(Object.entries(z.parse(telemetrySchema, answer)).map(([key, [latest]]) => [key, latest?.value]));
  }

  /** Deletes a device; one that is gone already is no error. */
  async deleteDevice({ id }: ServerDevice): Promise<void> {
    await this.#deleteIfThere(`/api/device/${id}`);
  }

  /** Deletes a profile with all its devices. A request that is still on its way may create another one meanwhile. */
  async removeProfile(profile: ServerProfile): Promise<void> {
    await eventually(`profile ${profile.name} without devices`, async () => {
      const devices = await this.devicesOf(profile);
      await inParallel(devices, DELETIONS_AT_ONCE, (device) => this.deleteDevice(device));
      try {
        await this.#deleteIfThere(`/api/deviceProfile/${profile.id}`);
        return true;
      } catch (error) {
        if (error instanceof RestError && error.status >= 400 && error.status < 500) return undefined;
        throw error;
      }
    });
  }

  async #deleteIfThere(path: string): Promise<void> {
    try {
      await this.#rest.call('DELETE', path);
    } catch (error) {
      if (!(error instanceof RestError && error.status === 404)) throw error;
    }
  }
}
