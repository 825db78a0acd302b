/** The server's decision on a provisioning request (docs/thingsboard.md, section 4), as a pure function. */

import type { Credentials } from './credentials.ts';
import { credentialsKey, credentialsProblem, randomAlphanumeric, x509 } from './credentials.ts';
import type { DeviceProfile } from './profileList.ts';
import type { ProvisionRequest } from './provisionRequest.ts';
import type { Device } from './registry.ts';
import type { Release } from './release.ts';

/** The rules that a decision depends on, beside the profile. */
export interface ProvisioningRules extends Pick<Release, 'reprovision' | 'templatesInNames'> {
  /** The tenant's device limit. */
  readonly deviceLimit: number;
}

/** The part of the registry that a decision depends on. */
export interface KnownDevices {
  readonly size: number;
  readonly profiles: { findByKey(deviceKey: string): DeviceProfile | undefined };
  find(name: string): Device | undefined;
  findByCredentials(key: string): Device | undefined;
}

export type Decision =
  | {
      readonly status: 'SUCCESS';
      readonly name: string;
      /** Id of the device's profile. */
      readonly profile: string;
      readonly credentials: Credentials;
      readonly create: boolean;
    }
  /** `reason` is for the user of the simulator. It is never part of the answer. */
  | { readonly status: 'NOT_FOUND' | 'FAILURE'; readonly reason: string }
  /** No answer for a long time, then PUBACK and a close. */
  | { readonly status: 'SILENCE'; readonly reason: string };

const MAX_NAME_LENGTH = 255;
const failure = (reason: string): Decision => ({ status: 'FAILURE', reason });
const notFound = (reason: string): Decision => ({ status: 'NOT_FOUND', reason });

/**
 * Decides one request. The caller commits a SUCCESS in the same turn of the event loop.
 * @param devices the registry at this moment
 */
export function decide(request: ProvisionRequest, rules: ProvisioningRules, devices: KnownDevices): Decision {
  const name = trim(request.deviceName);
  if (request.deviceName !== '' && name === '') return failure('the device name is only white space');
  if (request.provisionDeviceKey === '' || request.provisionDeviceSecret === '') return notFound('empty key or secret');
  const profile = devices.profiles.findByKey(request.provisionDeviceKey);
  if (profile === undefined) return notFound('unknown key');
  if (profile.strategy === 'DISABLED') return notFound('provisioning is disabled');
  if (profile.strategy === 'X509_CERTIFICATE_CHAIN') {
    return { status: 'SILENCE', reason: 'this strategy does not accept requests' };
  }
  if (request.provisionDeviceSecret !== profile.deviceSecret) return notFound('wrong secret');
  if (name.includes('\0')) return { status: 'SILENCE', reason: 'the database refuses a name with NUL' };
  return profile.strategy === 'ALLOW_CREATE_NEW_DEVICES'
    ? allowCreate(name, request, profile.id, rules, devices)
    : checkPreProvisioned(name, profile.id, rules, devices);
}

function allowCreate(
  chosenName: string,
  request: ProvisionRequest,
  profile: string,
  rules: ProvisioningRules,
  devices: KnownDevices,
): Decision {
  const name = chosenName === '' ? randomAlphanumeric() : chosenName;
  if (devices.find(name) !== undefined) return failure('the name exists');
  const problem = nameProblem(name, rules);
  if (problem !== undefined) return failure(problem);
  if (devices.size >= rules.deviceLimit) return failure('the device limit is reached');

  const credentials = chosenCredentials(request);
  if (credentials === undefined) {
    return {
      status: 'SUCCESS',
      name,
      profile,
      credentials: { type: 'ACCESS_TOKEN', token: randomAlphanumeric() },
      create: true,
    };
  }
  if (credentials === 'unsupported') return failure('MQTT devices have no LwM2M credentials');
  const refused = credentialsProblem(credentials);
  if (refused !== undefined) return failure(refused);
  if (devices.findByCredentials(credentialsKey(credentials)) !== undefined) return failure('the credentials are taken');
  return { status: 'SUCCESS', name, profile, credentials, create: true };
}

function checkPreProvisioned(name: string, profile: string, rules: ProvisioningRules, devices: KnownDevices): Decision {
  const device = devices.find(name);
  if (device === undefined) return failure('no such device');
  if (device.profile !== profile) return failure('the device has another profile');
  if (device.provisioned && !rules.reprovision) return failure('already provisioned (provisionState)');
  return { status: 'SUCCESS', name, profile, credentials: device.credentials, create: false };
}

function nameProblem(name: string, { templatesInNames }: ProvisioningRules): string | undefined {
  if (name.length > MAX_NAME_LENGTH) return 'the name is too long';
  if (/<\/?[a-z]/i.test(name)) return 'the name looks like HTML';
  return !templatesInNames && /\{\{[\s\S]*\}\}/.test(name) ? 'the name looks like a template' : undefined;
}

/** Java's trim: only blanks and control characters, no other white space. */
const trim = (text: string): string => text.replace(/^[\0-\x20]+|[\0-\x20]+$/g, '');

/** The credentials that the device chose; undefined when every credential field is empty, regardless of the type. */
function chosenCredentials(request: ProvisionRequest): Credentials | 'unsupported' | undefined {
  const { token, clientId, username, password, hash } = request;
  if ([token, clientId, username, password, hash].every((field) => field === '')) return undefined;
  switch (request.credentialsType) {
    case 'ACCESS_TOKEN':
      return { type: 'ACCESS_TOKEN', token };
    case 'MQTT_BASIC':
      return { type: 'MQTT_BASIC', clientId, userName: username, password };
    case 'X509_CERTIFICATE':
      return x509(hash);
    case 'LWM2M_CREDENTIALS':
      return 'unsupported';
  }
}
