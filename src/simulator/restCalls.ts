/** The calls of the administration and what each does to the registry. */

import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { Failure } from '../failures/failure.ts';
import { type Credentials, credentialsKey, randomAlphanumeric } from './credentials.ts';
import { type DeviceProfile, FIRST_PROFILE_ID, STRATEGIES } from './profileList.ts';
import type { Device, Registry } from './registry.ts';
import { savedCredentials } from './restCredentials.ts';
import { invalid, notFound } from './restRefusal.ts';
import {
  attributesJson,
  credentialsJson,
  deviceInfoJson,
  deviceJson,
  pageJson,
  profileInfoJson,
  profileJson,
  telemetryJson,
} from './restShapes.ts';

export interface RestCall {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Undefined: no body. */
  readonly body: unknown;
}

type Answer = (registry: Registry, call: RestCall, id: string) => unknown;

const UUID = '(?<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})';
const MAX_PAGE_SIZE = 1000;

/** Method and path of each call. */
const CALLS: readonly (readonly [method: string, path: RegExp, Answer])[] = [
  ['POST', /^\/api\/deviceProfile$/, saveProfile],
  ['GET', /^\/api\/deviceProfileInfos$/, findProfiles],
  ['GET', path(`deviceProfile/${UUID}`), (registry, _call, id) => profileJson(profile(registry, id))],
  ['DELETE', path(`deviceProfile/${UUID}`), deleteProfile],
  ['POST', /^\/api\/device$/, createDevice],
  ['GET', /^\/api\/tenant\/devices$/, findDevice],
  ['GET', /^\/api\/tenant\/deviceInfos$/, findDevices],
  ['DELETE', path(`device/${UUID}`), (registry, _call, id) => void registry.deleteDevice(device(registry, id).name)],
  ['GET', path(`device/${UUID}/credentials`), (registry, _call, id) => credentialsJson(device(registry, id))],
  ['POST', /^\/api\/device\/credentials$/, saveCredentials],
  ['GET', path(`plugins/telemetry/DEVICE/${UUID}/values/attributes/CLIENT_SCOPE`), clientAttributes],
  ['GET', path(`plugins/telemetry/DEVICE/${UUID}/values/attributes/SERVER_SCOPE`), serverAttributes],
  ['GET', path(`plugins/telemetry/DEVICE/${UUID}/values/attributes/SHARED_SCOPE`), sharedAttributes],
  ['DELETE', path(`plugins/telemetry/DEVICE/${UUID}/SERVER_SCOPE`), deleteServerAttributes],
  ['GET', path(`plugins/telemetry/DEVICE/${UUID}/values/timeseries`), latestTelemetry],
];

function path(text: string): RegExp {
  return new RegExp(`^/api/${text}$`);
}

/**
 * Answers an authorised call.
 * @returns the document of the answer; undefined: an empty answer
 * @throws RestRefusal
 */
export function answerCall(registry: Registry, call: RestCall): unknown {
  for (const [method, pattern, answer] of CALLS) {
    const match = method === call.method ? pattern.exec(call.path) : null;
    if (match !== null) return answer(registry, call, match.groups?.id ?? '');
  }
  throw notFound(`The simulator has no call ${call.method} ${call.path}`);
}

function device(registry: Registry, id: string): Device {
  const found = registry.findById(id);
  if (found === undefined) throw notFound(`Device with id [${id}] is not found`);
  return found;
}

function profile(registry: Registry, id: string): DeviceProfile {
  const found = registry.profiles.find(id);
  if (found === undefined) throw notFound(`Device profile with id [${id}] is not found`);
  return found;
}

const profileSchema = z.object({
  name: z.string().check(z.minLength(1), z.maxLength(255)),
  provisionType: z.enum(STRATEGIES),
  provisionDeviceKey: z.string().check(z.minLength(1), z.maxLength(255)),
  profileData: z.object({
    provisionConfiguration: z.object({ provisionDeviceSecret: z.string().check(z.minLength(1)) }),
  }),
});

function saveProfile(registry: Registry, { body }: RestCall): unknown {
  const given = profileSchema.safeParse(body);
  if (!given.success) throw invalid(`Device profile: ${given.error.issues[0]?.path.join('.')}`);
  const { name, provisionType: strategy, provisionDeviceKey: deviceKey, profileData } = given.data;
  const { provisionDeviceSecret: deviceSecret } = profileData.provisionConfiguration;
  const made = { id: randomUUID(), name, strategy, deviceKey, deviceSecret };
  const problem = registry.profiles.add(made);
  if (problem !== undefined) throw invalid(problem);
  return profileJson(made);
}

function findProfiles(registry: Registry, { query }: RestCall): unknown {
  const text = (query.get('textSearch') ?? '').toLowerCase();
  const found = registry.profiles.all().filter(({ name }) => name.toLowerCase().includes(text));
  return page(query, found, profileInfoJson);
}

function deleteProfile(registry: Registry, _call: RestCall, id: string): undefined {
  profile(registry, id);
  if (id === FIRST_PROFILE_ID) throw invalid('Deletion of Default Device Profile is prohibited!');
  if (registry.devices().some((one) => one.profile === id)) {
    throw invalid('The device profile referenced by the devices cannot be deleted!');
  }
  registry.profiles.delete(id);
}

const newDeviceSchema = z.object({
  name: z.string().check(z.minLength(1), z.maxLength(255)),
  /** Absent: the default profile. */
  deviceProfileId: z.optional(z.object({ id: z.string() })),
});

function createDevice(registry: Registry, { body, query }: RestCall): unknown {
  const given = newDeviceSchema.safeParse(body);
  if (!given.success) throw invalid(`Device: ${given.error.issues[0]?.path.join('.')}`);
  const { name, deviceProfileId: { id } = { id: FIRST_PROFILE_ID } } = given.data;
  if (registry.profiles.find(id) === undefined) {
    throw invalid('Device is referencing non existing device profile!');
  }
  if (registry.find(name) !== undefined) throw invalid('Device with such name already exists!');
  // Without a token, also with an empty one, the server generates one.
  const token = query.get('accessToken') || randomAlphanumeric();
  const credentials = { type: 'ACCESS_TOKEN', token } as const;
  requireFree(registry, credentials, name);
  orInvalid(() => registry.addDevice({ name, profile: id, credentials }));
  return named(registry, name);
}

function saveCredentials(registry: Registry, { body }: RestCall): unknown {
  const { device: id, credentials } = savedCredentials(body);
  const { name } = device(registry, id);
  requireFree(registry, credentials, name);
  orInvalid(() => registry.setCredentials(name, credentials));
  return credentialsJson(device(registry, id));
}

function requireFree(registry: Registry, credentials: Credentials, name: string): void {
  const holder = registry.findByCredentials(credentialsKey(credentials));
  if (holder !== undefined && holder.name !== name) {
    throw invalid('Device credentials are already assigned to another device!');
  }
}

function orInvalid(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (error instanceof Failure) throw invalid(error.message);
    throw error;
  }
}

function named(registry: Registry, name: string): unknown {
  const found = registry.find(name);
  if (found === undefined) throw notFound("Requested item wasn't found!");
  return deviceJson(found, registry.profiles.find(found.profile));
}

function findDevice(registry: Registry, { query }: RestCall): unknown {
  return named(registry, query.get('deviceName') ?? '');
}

function findDevices(registry: Registry, { query }: RestCall): unknown {
  const of = query.get('deviceProfileId');
  const found = registry.devices().filter((one) => of === null || one.profile === of);
  return page(query, found, (one) =>
    deviceInfoJson(one, registry.profiles.find(one.profile), registry.isActive(one.name)),
  );
}

function page<Item>(query: URLSearchParams, items: readonly Item[], json: (item: Item) => unknown): unknown {
  const [size, number] = ['pageSize', 'page'].map((name) => {
    const text = query.get(name) ?? '';
    if (!/^\d{1,6}$/.test(text)) throw invalid(`Incorrect parameter ${name}`);
    return Number(text);
  });
  if (size === undefined || number === undefined || size < 1) throw invalid('Incorrect page link');
  return pageJson(items, Math.min(size, MAX_PAGE_SIZE), number, json);
}

function clientAttributes(registry: Registry, _call: RestCall, id: string): unknown {
  return attributesJson(registry.attributes(device(registry, id).name));
}

/** The server itself sets `active` and, at each connection, `lastConnectTime`. */
function serverAttributes(registry: Registry, _call: RestCall, id: string): unknown {
  const { name, provisioned } = device(registry, id);
  const lastConnectTime = registry.lastConnectTime(name);
  return attributesJson({
    active: registry.isActive(name),
    ...(lastConnectTime === undefined ? {} : { lastConnectTime }),
    ...(provisioned ? { provisionState: 'provisioned' } : {}),
  });
}

function sharedAttributes(registry: Registry, _call: RestCall, id: string): unknown {
  return attributesJson(registry.sharedAttributes(device(registry, id).name));
}

function deleteServerAttributes(registry: Registry, { query }: RestCall, id: string): undefined {
  const keys = (query.get('keys') ?? '').split(',').filter((key) => key !== '');
  if (keys.length === 0) throw invalid('Empty keys');
  const { name } = device(registry, id);
  if (keys.includes('provisionState')) registry.deleteProvisionState(name);
}

function latestTelemetry(registry: Registry, _call: RestCall, id: string): unknown {
  return telemetryJson(registry.telemetry(device(registry, id).name));
}
