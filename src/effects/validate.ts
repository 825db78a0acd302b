import { lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ValidateInput, ValidateOutput } from '../../machines/provision.types.ts';
import { endpointOf } from '../config/provision/currentSettings.ts';
import { readProvisionJson, settingsDigest } from '../config/provision/provisionJson.ts';
import { requireScrubbable } from '../config/provision/scrubSecret.ts';
import { listBackups } from '../config/thermal/backups.ts';
import { parseThermalConfig } from '../config/thermal/cameraRules.ts';
import { requireReplaceable } from '../config/thermal/replacement.ts';
import { readThermalConfig, type ThermalConfigFile } from '../config/thermal/thermalConfig.ts';
import type { DevicePaths } from '../device/paths.ts';
import { hostAndPort } from '../endpoint.ts';
import { Failure } from '../failures/failure.ts';
import { fileFailure, isENOENT } from '../failures/fileFailure.ts';
import { neededBytes, probeFolder } from '../files/probe.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

/** ThingsBoard has no longer names (docs/thingsboard.md, section 2), and the snapshot no room for them. */
const MAX_DEVICE_NAME = 255;

/**
 * FR-002, FR-003: everything that could make the run fail later is checked before the server hears of us: the key
 * file, the CA file, the configuration, that each folder can really be written, and that provision.txt can be renamed.
 * @throws Failure PROVISION_JSON_*, CA_FILE_UNUSABLE, CONFIG_*, FILE_NOT_PERMITTED, FOLDER_NOT_WRITABLE, DISK_*
 */
export async function validate(
  dependencies: EffectDependencies,
  _call: EffectCall<ValidateInput>,
): Promise<ValidateOutput> {
  const { paths, externalSettings, clock, log } = dependencies;
  const { settings, warnings, path } = await readProvisionJson(paths.provisionJson, externalSettings);
  if (settings.scrub) await requireScrubbable(path, paths.provisionJson);
  await endpointOf(settings, paths.deviceFolder);
  const config = await readThermalConfig(paths.deviceFolder);
  requireReplaceable(config);
  await requireRenamable(paths);
  await probeFolders([paths.deviceFolder, dirname(config.path), paths.stateFolder], config);
  const backups = await listBackups(paths.deviceFolder);

  const allWarnings = [...warnings, ...configWarnings(config), ...(await folderWarnings(paths.deviceFolder))];
  for (const warning of allWarnings) log.warn('validate.warning', warning);
  const { host, port, useSsl, caFile, maxRetries, timeoutSeconds } = settings;
  const server = hostAndPort(settings);
  log.info('validate.passed', `provision.json is complete; the server is ${server}`, {
    server,
    ...(path === paths.provisionJson ? {} : { provisionJson: path }),
    tls: useSsl,
    nameSource: settings.name.source,
  });
  return {
    settings: {
      digest: settingsDigest(settings),
      server: { host, port, useSsl, caFile: caFile ?? null },
      nameSource: settings.name.source,
      maxRetries,
      timeoutSeconds,
    },
    previousDeviceId: deviceIdIn(config),
    newestBackupAt: backups[0]?.time ?? null,
    warnings: allWarnings,
    at: clock.now(),
  };
}

/**
 * A folder can't be replaced by a file. The rename is the run's last step: the device would be registered by then.
 * @throws Failure DISK_ERROR, FILE_NOT_PERMITTED
 */
async function requireRenamable({ provisionTxt, provisionTxtProcessed }: DevicePaths): Promise<void> {
  try {
    if (!(await lstat(provisionTxtProcessed)).isDirectory()) return;
  } catch (error) {
    if (isENOENT(error)) return;
    throw fileFailure(error, `look at ${provisionTxtProcessed}`);
  }
  throw new Failure('DISK_ERROR', 'processedIsFolder', { processed: provisionTxtProcessed, trigger: provisionTxt });
}

async function probeFolders(folders: readonly string[], config: ThermalConfigFile): Promise<void> {
  // The backup and the new text, each beside what stands there already.
  const needed = neededBytes(config.bytes?.length ?? 0);
  const proven = new Set<number>();
  for (const folder of new Set(folders)) proven.add(await probeFolder(folder, needed, proven));
}

function deviceIdIn(config: ThermalConfigFile): string | null {
  if (config.bytes === undefined || !config.usable) return null;
  try {
    const { deviceId } = parseThermalConfig(config.bytes).thingsboard;
    return deviceId.length <= MAX_DEVICE_NAME ? deviceId : null;
  } catch {
    // Not loadable by the camera: then no device works with it either.
    return null;
  }
}

function configWarnings(config: ThermalConfigFile): string[] {
  return config.problems.map((problem) => `thermal_config.json: ${problem}`);
}

async function folderWarnings(folder: string): Promise<string[]> {
  const { mode } = await stat(folder).catch((error: unknown) => {
    throw fileFailure(error, `look at ${folder}`);
  });
  if ((mode & 0o002) === 0) return [];
  return [`${folder} can be written by every user of this device (mode ${(mode & 0o7777).toString(8)})`];
}
