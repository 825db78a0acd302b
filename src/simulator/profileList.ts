/** The tenant's device profiles. The first one comes from the simulator's options, the others are made through REST. */

export const STRATEGIES = [
  'ALLOW_CREATE_NEW_DEVICES',
  'CHECK_PRE_PROVISIONED_DEVICES',
  'X509_CERTIFICATE_CHAIN',
  'DISABLED',
] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** The first profile has the same id in each start, so that devices in a registry file keep their profile. */
export const FIRST_PROFILE_ID = '00000000-0000-4000-8000-000000000001';

export interface DeviceProfile {
  /** UUID. */
  readonly id: string;
  readonly name: string;
  readonly strategy: Strategy;
  /** The provisioning key; unique on the server. */
  readonly deviceKey: string;
  readonly deviceSecret: string;
}

export class ProfileList {
  readonly #profiles = new Map<string, DeviceProfile>();
  readonly #onChange: () => void;

  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  all(): readonly DeviceProfile[] {
    return [...this.#profiles.values()];
  }

  find(id: string): DeviceProfile | undefined {
    return this.#profiles.get(id);
  }

  findByKey(deviceKey: string): DeviceProfile | undefined {
    return this.all().find((profile) => profile.deviceKey === deviceKey);
  }

  /** Adds a profile, or returns why the server refuses it. */
  add(profile: DeviceProfile): string | undefined {
    if (this.all().some(({ name }) => name === profile.name)) return 'Device profile with such name already exists!';
    if (this.findByKey(profile.deviceKey) !== undefined) {
      return 'Device profile with such provision device key already exists!';
    }
    this.#profiles.set(profile.id, profile);
    this.#onChange();
    return undefined;
  }

  /** The caller checks that no device uses the profile. */
  delete(id: string): void {
    this.#profiles.delete(id);
    this.#onChange();
  }
}
