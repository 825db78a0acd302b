import { dirname, join } from 'node:path';
import type { WriteInput, WriteOutput } from '../../machines/provision.types.ts';
import { readPublicSettings } from '../config/provision/provisionJson.ts';
import { writtenProxy } from '../config/provision/proxySettings.ts';
import { listBackups } from '../config/thermal/backups.ts';
import { type ConfigBase, chooseBase, configWithCredentials, requireLoadable } from '../config/thermal/configBase.ts';
import { configuredLogin } from '../config/thermal/configuredLogin.ts';
import { type ConfigCredentials, carriesCredentials } from '../config/thermal/credentialsSections.ts';
import { replacementAttributes } from '../config/thermal/replacement.ts';
import {
  configWarnings,
  MAX_CONFIG_BYTES,
  readThermalConfig,
  type ThermalConfigFile,
} from '../config/thermal/thermalConfig.ts';
import { fingerprintOf, labelOf } from '../deviceCredentials.ts';
import { hostAndPort } from '../endpoint.ts';
import { Failure } from '../failures/failure.ts';
import { durableReplace, makeEntriesDurable } from '../files/durable.ts';
import { readLimited } from '../files/readLimited.ts';
import { issuedCredentials } from '../state/runCredentials.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

/**
 * Merges the tested credentials into thermal_config.json, replaces the file durably and atomically, and reads it back.
 * A file that another program changed since the backup is not replaced.
 * @throws Failure CREDENTIALS_*, CONFIG_*, DISK_FULL, DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function write(
  dependencies: EffectDependencies,
  { input, signal }: EffectCall<WriteInput>,
): Promise<WriteOutput> {
  const { paths, clock, log } = dependencies;
  const issued = await issuedCredentials(dependencies);
  if (fingerprintOf(issued.credentials) !== input.fingerprint) {
    throw new Failure('CREDENTIALS_LOST', 'altered', { path: paths.credentials });
  }
  const { host, port, useSsl, caFile } = input.server;
  const credentials: ConfigCredentials = {
    host,
    port,
    useSsl,
    ...(useSsl && caFile !== null ? { caFile } : {}),
    login: configuredLogin(issued.credentials),
    ...(await proxyFor(dependencies)),
    deviceId: issued.deviceName,
    provisionedAt: new Date(clock.now()).toISOString(),
    runId: input.runId,
    backup: input.backup,
  };
  const existing = await readThermalConfig(paths.deviceFolder);
  const attributes = await replacementAttributes(existing);
  // Durable before any thermal_config.json names them.
  if (issued.credentials.type === 'X509_CERTIFICATE') {
    const { writeClientFiles } = await import('../config/thermal/clientFiles.ts');
    await writeClientFiles(paths.deviceFolder, issued.credentials, attributes);
  }
  if (existing.bytes !== undefined && existing.usable && carriesCredentials(existing.bytes, credentials)) {
    // A killed run may have written it without syncing the folder, which may not be the device folder (link).
    await makeEntriesDurable(dirname(existing.path));
    log.info('config.already', 'thermal_config.json already holds the new credentials', { file: existing.path });
    return { outcome: 'already', warnings: configWarnings(existing.problems), at: clock.now() };
  }
  if (!(await equalsBackup(existing, paths.deviceFolder, input.backup))) {
    log.warn('config.changed', 'Another program changed thermal_config.json since the backup: backing it up again');
    return { outcome: 'changed', at: clock.now() };
  }
  const base = await chooseBase(existing, await listBackups(paths.deviceFolder), (path, why) => {
    log.warn('backup.skipped', `Skipping the backup ${path} as a source of settings: ${why}`, { file: path });
  });
  const warnings = baseWarnings(existing, base);
  for (const warning of warnings) log.warn('config.base', warning);
  const { credentials: kept } = issued;
  if (kept.type !== 'ACCESS_TOKEN') {
    const warning = `A camera client that knows only access tokens can't use this configuration: the device logs in with ${labelOf(kept)}, as "start" does`;
    log.warn('config.login', warning);
    warnings.push(warning);
  }
  // No setting is lost, so nobody has to act: the run has no warning.
  if (base.from === 'file' && base.repaired !== undefined) log.warn('config.base', repairedText(base.repaired, input));
  const content = configWithCredentials(base, credentials);
  requireLoadable(base, content);
  signal.throwIfAborted();
  await durableReplace(existing.path, content, attributes);

  const written = await readThermalConfig(paths.deviceFolder);
  if (written.bytes?.equals(content) !== true) {
    if (written.usable) {
      log.warn(
        'config.overtaken',
        'Another program changed thermal_config.json right after the write: backing it up again',
      );
      return { outcome: 'changed', warnings, at: clock.now() };
    }
    log.error('config.unusable', `${existing.path} does not hold what was written to it: putting the backup back`);
    return { outcome: 'unusable', warnings, at: clock.now() };
  }
  log.info('config.written', `thermal_config.json now holds the credentials of ${issued.deviceName}`, {
    file: existing.path,
    deviceName: issued.deviceName,
    token: fingerprintOf(issued.credentials),
    server: hostAndPort(input.server),
  });
  return { outcome: 'written', warnings: [...warnings, ...configWarnings(written.problems)], at: clock.now() };
}

/** The run is finished also if provision.json is gone by now. Then an old proxy stays. */
async function proxyFor({ paths, externalSettings }: EffectDependencies): Promise<Pick<ConfigCredentials, 'proxy'>> {
  try {
    const { settings } = await readPublicSettings(paths.provisionJson, externalSettings);
    return { proxy: writtenProxy(settings) };
  } catch {
    return {};
  }
}

/** Whether the file equals its backup. Without a backup: whether the file is still absent. */
async function equalsBackup(existing: ThermalConfigFile, folder: string, backup: string | null): Promise<boolean> {
  if (backup === null) return existing.bytes === undefined;
  if (existing.bytes === undefined) return false;
  const read = await readLimited(join(folder, backup), MAX_CONFIG_BYTES, false);
  return read.ok && read.bytes.equals(existing.bytes);
}

const repairedText = (problem: string, { backup }: WriteInput): string =>
  `thermal_config.json ${problem}. It was repaired: all settings stay, and ${backup} keeps the original`;

function baseWarnings(existing: ThermalConfigFile, base: ConfigBase): string[] {
  if (!existing.exists || base.from === 'file') return [];
  const source = base.from === 'backup' ? `the backup ${base.name}` : 'the defaults';
  return [`thermal_config.json could not be used; the backup keeps it, and the settings come from ${source}`];
}
