import type { SETTINGS } from '../../config/provision/provisionSettings.ts';

/** What `init` knows of provision.json. The names are those of the settings. */
export interface InitSettings {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly useSsl?: boolean | undefined;
  readonly caFile?: string | undefined;
  readonly deviceKey?: string | undefined;
  readonly deviceSecret?: string | undefined;
  readonly name?: string | undefined;
  readonly nameSource?: string | undefined;
  readonly credentials?: string | undefined;
  readonly scrub?: true | undefined;
}

export type InitSetting = keyof InitSettings & keyof typeof SETTINGS;

/** provision.json with these settings. What is undefined is left out. */
export function provisionText(given: InitSettings): string {
  const { host, port, useSsl, caFile, deviceKey, deviceSecret, name, nameSource, credentials, scrub } = given;
  const device = { name, name_source: nameSource, credentials };
  const document = {
    provisioning: {
      device_key: deviceKey,
      device_secret: deviceSecret,
      host,
      port: port ?? (useSsl === true ? 8883 : 1883),
      use_ssl: useSsl,
      ca_file: caFile,
      scrub,
    },
    ...(Object.values(device).every((value) => value === undefined) ? {} : { device }),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The same with marks instead of key and secret. */
export const maskedText = (given: InitSettings): string =>
  provisionText({ ...given, deviceKey: '[key]', deviceSecret: '[secret]' });
