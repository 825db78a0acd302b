/** Texts of provision.json, and the settings and problems read from them. */
import { parseProvisionJson } from '../../../src/config/provision/provisionJson.ts';
import { failureOf } from '../scratch.ts';

export const KEY = 'kkKKkkKKkkKKkkKKkkK1';
export const SECRET = 'ssSSssSSssSSssSSssS2';
export const HOST = 'eu.thingsboard.cloud';
export const required = { device_key: KEY, device_secret: SECRET, host: HOST };

const bytesOf = (content: unknown) => Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
export const parse = (content: unknown) => parseProvisionJson(bytesOf(content));
export const withProvisioning = (more: object) => ({ provisioning: { ...required, ...more } });
export const withDevice = (device: unknown) => ({ provisioning: required, device });
export const plain = (content: unknown) => {
  const { settings } = parse(content);
  return { ...settings, deviceKey: settings.deviceKey.reveal(), deviceSecret: settings.deviceSecret.reveal() };
};
export const problemsOf = async (content: unknown) =>
  (await failureOf(() => parse(content))).message.split('\n').slice(1);
