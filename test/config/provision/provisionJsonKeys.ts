/** Keys of provision.json in all styles that people use, and a value for each setting. */
import { required } from './provisionJsonTexts.ts';

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
const pascal = (key: string) => key.split('_').map(capital).join('');

/** Each makes a key of one in snake case. The last one loses the borders of the words. */
export const STYLES: readonly ((key: string) => string)[] = [
  (key) => key,
  (key) => pascal(key).charAt(0).toLowerCase() + pascal(key).slice(1),
  pascal,
  (key) => key.replaceAll('_', '-'),
  (key) => key.toUpperCase(),
  (key) => key.replaceAll('_', ''),
];

/** A valid value for each setting that is not its default; a setting that is not named here is a boolean. */
export const VALUES: Readonly<Record<string, unknown>> = {
  deviceKey: 'another-key',
  deviceSecret: 'another-secret',
  host: 'tb.example',
  port: 1885,
  caFile: 'ca.pem',
  proxy: 'http://proxy.example:3128',
  timeoutSeconds: 12,
  maxRetries: 1,
  namePrefix: 'cam',
  name: 'cam-1',
  nameSource: 'mac',
  type: 'a type',
  profile: 'a profile',
  credentials: 'access_token',
};

/** A complete file in which the path has the value, whatever the path replaces. A CA file comes with TLS. */
export function at(path: string, value: unknown): Record<string, unknown> {
  const [section, key] = path.split('.');
  const rest: Record<string, unknown> = { ...required, ...(value === 'ca.pem' ? { use_ssl: true } : {}) };
  if (value === VALUES.deviceKey) delete rest.device_key;
  if (value === VALUES.deviceSecret) delete rest.device_secret;
  if (value === VALUES.host) delete rest.host;
  if (key === undefined) return { provisioning: rest, [path]: value };
  return section === 'device'
    ? { provisioning: rest, device: { [key]: value } }
    : { provisioning: { ...rest, [key]: value } };
}
