import { createHash } from 'node:crypto';
import type { NameSettings } from '../../device/nameSettings.ts';
import type { ProvisionSettings } from './provisionSettings.ts';

/** What makes another name, in an order that must not change. */
function naming(name: NameSettings): readonly string[] {
  if (name.source === 'fixed') return ['fixed', name.name];
  if (name.source === 'template') return ['template', name.template];
  return name.source === 'command' ? ['command', name.command, name.prefix] : [name.source, name.prefix];
}

/**
 * The digest that decides whether an interrupted run may resume with these settings: 16 hexadecimal digits of the
 * SHA-256 over host (without case), port, key, name settings, and credentials settings other than the default. Secret and
 * limits may change during a run, and the proxy: who corrects the way to a server must not get a second device on it.
 */
export function settingsDigest(settings: Omit<ProvisionSettings, 'deviceSecret'>): string {
  const { host, port, deviceKey, name, credentials, tokenGeneration } = settings;
  const others = [
    ...(credentials === undefined ? [] : [credentials]),
    ...(tokenGeneration === undefined ? [] : [tokenGeneration]),
  ];
  const identity = JSON.stringify([host.toLowerCase(), port, deviceKey.reveal(), naming(name), ...others]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 16);
}
