import { lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ValidateInput, ValidateOutput } from '../../machines/provision.types.ts';
import { endpointOf } from '../config/provision/currentSettings.ts';
import { readProvisionJson, settingsDigest } from '../config/provision/provisionJson.ts';
import { requireScrubbable } from '../config/provision/scrubSecret.ts';
import { listBackups } from '../config/thermal/backups.ts';
import { cameraProblems, parseThermalConfig } from '../config/thermal/cameraRules.ts';
import { requireReplaceable } from '../config/thermal/replacement.ts';
import { configWarnings, readThermalConfig, type ThermalConfigFile } from '../config/thermal/thermalConfig.ts';
import { hasOnlyVolatileIdentity } from '../device/board.ts';
import { deviceStorage, unseenStorage, volatileStorage } from '../device/deviceStorage.ts';
import type { DevicePaths } from '../device/paths.ts';
import { hostAndPort } from '../endpoint.ts';
import { Failure } from '../failures/failure.ts';
import { fileFailure, isENOENT } from '../failures/fileFailure.ts';
import { neededBytes, tryFolder } from '../files/trialWrite.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

/** ThingsBoard's limit (docs/thingsboard.md, section 2). */
const MAX_DEVICE_NAME = 255;
const VOLATILE_IDENTITY =
  'This board has no serial number, and a reboot changes its machine-id: if a reboot interrupts this run, its device is stranded. See doctor';

/**
 * FR-002, FR-003: checks everything that could make the run fail later, before the first contact with the server:
 * provision.json, the CA file, the configuration, free space, write access, and that provision.txt can be renamed.
 * @throws Failure PROVISION_JSON_*, CA_FILE_UNUSABLE, CONFIG_*, FILE_NOT_PERMITTED, FOLDER_NOT_WRITABLE, DISK_*,
 * VOLATILE_STORAGE
 */
export async function validate(
  dependencies: EffectDependencies,
  _call: EffectCall<ValidateInput>,
): Promise<ValidateOutput> {
  const { paths, externalSettings, clock, log, board } = dependencies;
  const { settings, warnings, notes, path } = await readProvisionJson(paths.provisionJson, externalSettings);
  for (const note of notes) log.info('settings.taken', note);
  if (settings.scrub) await requireScrubbable(path, paths.provisionJson);
  await endpointOf(settings, paths.deviceFolder);
  const config = await readThermalConfig(paths.deviceFolder);
  requireReplaceable(config);
  await requireRenamable(paths);
  await tryFolders([paths.deviceFolder, dirname(config.path), paths.stateFolder], config);
  await requireLastingStorage(dependencies, dirname(config.path), settings.allowVolatileStorage ?? false);
  if (hasOnlyVolatileIdentity(board)) log.warn('board.volatile', VOLATILE_IDENTITY);
  const backups = await listBackups(paths.deviceFolder);

  const lasting = [
    ...warnings.map((warning) => `provision.json: ${warning}`),
    ...(await folderWarnings(paths.deviceFolder)),
  ];
  for (const warning of [...lasting, ...configWarnings(problemsLeft(config))]) log.warn('validate.warning', warning);
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
    // `write` corrects the values of the credentials, and then records the rules that the configuration still breaks.
    warnings: lasting,
    at: clock.now(),
  };
}

/**
 * A folder named provision.txt.processed would make the rename fail: the last step, after the device is registered.
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

async function tryFolders(folders: readonly string[], config: ThermalConfigFile): Promise<void> {
  // Room for the backup and the new file, in addition to the current file.
  const needed = neededBytes(config.bytes?.length ?? 0);
  const proven = new Set<number>();
  for (const folder of new Set(folders)) proven.add(await tryFolder(folder, needed, proven));
}

/**
 * Without lasting storage each boot would register another device. The warnings are only logged: `status` finds out
 * itself how things are when it is called.
 * @throws Failure VOLATILE_STORAGE
 */
async function requireLastingStorage(
  { paths, log }: EffectDependencies,
  configFolder: string,
  isAllowed: boolean,
): Promise<void> {
  const folders = await deviceStorage(paths, configFolder);
  const failure = volatileStorage(folders);
  if (failure !== undefined && !isAllowed) throw failure;
  if (failure !== undefined) log.warn('storage.volatile', `${failure.message} (allowed by provision.json)`);
  const unseen = unseenStorage(folders);
  if (unseen !== undefined) log.warn('storage.unseen', unseen);
}

function deviceIdIn(config: ThermalConfigFile): string | null {
  if (config.bytes === undefined || !config.usable) return null;
  try {
    const { deviceId } = parseThermalConfig(config.repair?.bytes ?? config.bytes).thingsboard;
    return deviceId.length <= MAX_DEVICE_NAME ? deviceId : null;
  } catch {
    // The camera can't load this configuration, so it does not work as any device.
    return null;
  }
}

/** The rules of the camera that the configuration breaks, also after its repair. */
const problemsLeft = ({ repair, problems }: ThermalConfigFile): readonly string[] =>
  repair === undefined ? problems : cameraProblems(repair.bytes);

async function folderWarnings(folder: string): Promise<string[]> {
  const { mode } = await stat(folder).catch((error: unknown) => {
    throw fileFailure(error, `look at ${folder}`);
  });
  if ((mode & 0o002) === 0) return [];
  return [`Every user of this device can write to ${folder} (mode ${(mode & 0o7777).toString(8)})`];
}
