/** The calls of the administration and what each does to the registry. */

import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { Failure } from '../failures/failure.ts';
import { STRATEGIES } from './profileList.ts';
import type { Device, Registry } from './registry.ts';
import { invalid, notFound } from './restRefusal.ts';
import { attributesJson, credentialsJson, deviceJson, pageJson, profileJson, telemetryJson } from './restShapes.ts';

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
  ['DELETE', path(`deviceProfile/${UUID}`), deleteProfile],
  ['POST', /^\/api\/device$/, createDevice],
  ['GET', /^\/api\/tenant\/devices$/, findDevice],
  ['GET', /^\/api\/tenant\/deviceInfos$/, findDevices],
  ['DELETE', path(`device/${UUID}`), (registry, _call, id) => void registry.deleteDevice(device(registry, id).name)],
  ['GET', path(`device/${UUID}/credentials`), (registry, _call, id) => credentialsJson(device(registry, id))],
  ['GET', path(`plugins/telemetry/DEVICE/${UUID}/values/attributes/CLIENT_SCOPE`), clientAttributes],
  ['GET', path(`plugins/telemetry/DEVICE/${UUID}/values/attributes/SERVER_SCOPE`), serverAttributes],
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
  const profile = { id: randomUUID(), name, strategy, deviceKey, deviceSecret };
  const problem = registry.profiles.add(profile);
  if (problem !== undefined) throw invalid(problem);
  return profileJson(profile);
}

function findProfiles(registry: Registry, { query }: RestCall): unknown {
  const text = (query.get('textSearch') ?? '').toLowerCase();
  const found = registry.profiles.all().filter(({ name }) => name.toLowerCase().includes(text));
  return page(query, found, profileJson);
}

function deleteProfile(registry: Registry, _call: RestCall, id: string): undefined {
  if (registry.profiles.find(id) === undefined) throw notFound(`Device profile with id [${id}] is not found`);
  if (registry.devices().some(({ profile }) => profile === id)) {
    throw invalid('The device profile referenced by the devices cannot be deleted!');
  }
  registry.profiles.delete(id);
}

const newDeviceSchema = z.object({
  name: z.string().check(z.minLength(1), z.maxLength(255)),
  deviceProfileId: z.object({ id: z.string() }),
});

function createDevice(registry: Registry, { body, query }: RestCall): unknown {
  const given = newDeviceSchema.safeParse(body);
  if (!given.success) throw invalid(`Device: ${given.error.issues[0]?.path.join('.')}`);
  const { name, deviceProfileId } = given.data;
  if (registry.profiles.find(deviceProfileId.id) === undefined) throw invalid('Device is referencing to no profile!');
  const token = query.get('accessToken');
  try {
    registry.addDevice({
      name,
      profile: deviceProfileId.id,
      ...(token === null ? {} : { credentials: { type: 'ACCESS_TOKEN', token } }),
    });
  } catch (error) {
    if (error instanceof Failure) throw invalid(error.message);
    throw error;
  }
  return named(registry, name);
}

function named(registry: Registry, name: string): unknown {
  const found = registry.find(name);
  if (found === undefined) throw notFound(`Device with name [${name}] is not found`);
  return deviceJson(found, registry.profiles.find(found.profile));
}

function findDevice(registry: Registry, { query }: RestCall): unknown {
  return named(registry, query.get('deviceName') ?? '');
}

function findDevices(registry: Registry, { query }: RestCall): unknown {
  const profile = query.get('deviceProfileId');
  const found = registry.devices().filter((one) => profile === null || one.profile === profile);
  return page(query, found, (one) => deviceJson(one, registry.profiles.find(one.profile)));
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

function serverAttributes(registry: Registry, _call: RestCall, id: string): unknown {
  return attributesJson(device(registry, id).provisioned ? { provisionState: 'provisioned' } : {});
}

function deleteServerAttributes(registry: Registry, { query }: RestCall, id: string): undefined {
  const { name } = device(registry, id);
  if ((query.get('keys') ?? '').split(',').includes('provisionState')) registry.deleteProvisionState(name);
}

function latestTelemetry(registry: Registry, _call: RestCall, id: string): unknown {
  return telemetryJson(registry.telemetry(device(registry, id).name));
}
