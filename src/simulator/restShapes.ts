/** The documents of ThingsBoard's REST answers, without the fields that no script of this project needs. */

import { type Credentials, credentialsId, credentialsValue } from './credentials.ts';
import { isJsonObject } from './gsonReader.ts';
import { type DeviceProfile, FIRST_PROFILE_ID } from './profileList.ts';
import type { Attributes, Device } from './registry.ts';

const entityId = (entityType: string, id: string): object => ({ entityType, id });

export const profileJson = ({ id, name, strategy, deviceKey, deviceSecret }: DeviceProfile): object => ({
  id: entityId('DEVICE_PROFILE', id),
  name,
  default: id === FIRST_PROFILE_ID,
  type: 'DEFAULT',
  transportType: 'DEFAULT',
  provisionType: strategy,
  provisionDeviceKey: deviceKey,
  profileData: {
    configuration: { type: 'DEFAULT' },
    transportConfiguration: { type: 'DEFAULT' },
    provisionConfiguration: { type: strategy, provisionDeviceSecret: deviceSecret },
  },
});

/** What lists show of a profile: neither strategy nor key. */
export const profileInfoJson = ({ id, name }: DeviceProfile): object => ({
  id: entityId('DEVICE_PROFILE', id),
  name,
  image: null,
  defaultDashboardId: null,
  type: 'DEFAULT',
  transportType: 'DEFAULT',
});

export const deviceJson = (
  { id, createdTime, name, profile, gateway }: Device,
  of: DeviceProfile | undefined,
): object => ({
  id: entityId('DEVICE', id),
  createdTime,
  name,
  type: of?.name ?? null,
  label: null,
  deviceProfileId: entityId('DEVICE_PROFILE', profile),
  additionalInfo: gateway === true ? { gateway } : null,
});

/** What lists show of a device. */
export const deviceInfoJson = (device: Device, of: DeviceProfile | undefined, active: boolean): object => ({
  ...deviceJson(device, of),
  deviceProfileName: of?.name ?? null,
  active,
});

export const credentialsJson = ({ id, createdTime, credentials }: Device): object => ({
  id: { id },
  createdTime,
  deviceId: entityId('DEVICE', id),
  credentialsType: credentials.type,
  credentialsId: credentialsId(credentials),
  credentialsValue: storedValue(credentials),
});

function storedValue(credentials: Credentials): string | null {
  switch (credentials.type) {
    case 'ACCESS_TOKEN':
      return null;
    case 'X509_CERTIFICATE':
      return credentials.certificate;
    case 'LWM2M_CREDENTIALS':
      return JSON.stringify({ client: { securityConfigClientMode: 'NO_SEC', endpoint: credentials.endpoint } });
    case 'MQTT_BASIC':
      return JSON.stringify(credentialsValue(credentials));
  }
}

/** @param page counted from 0 */
export function pageJson<Item>(
  items: readonly Item[],
  size: number,
  page: number,
  json: (item: Item) => unknown,
): object {
  const totalPages = Math.ceil(items.length / size);
  return {
    data: items.slice(page * size, (page + 1) * size).map(json),
    totalPages,
    totalElements: items.length,
    hasNext: page + 1 < totalPages,
  };
}

/** The registry keeps no times of attributes, so they have the time of the answer. */
export const attributesJson = (attributes: Attributes): readonly object[] =>
  Object.entries(attributes).map(([key, value]) => ({ lastUpdateTs: Date.now(), key, value }));

/**
 * The latest value of each key, as text. A message without a time has the time of the answer, because the registry
 * keeps no time of arrival.
 */
export function telemetryJson(messages: readonly unknown[]): object {
  const latest = new Map<string, readonly object[]>();
  for (const message of messages.flat()) {
    if (!isJsonObject(message)) continue;
    const timed = 'ts' in message && isJsonObject(message.values);
    const values = timed && isJsonObject(message.values) ? message.values : message;
    const ts = timed ? Number(message.ts) : Date.now();
    for (const [key, value] of Object.entries(values)) latest.set(key, [{ ts, value: text(value) }]);
  }
  return Object.fromEntries(latest);
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
