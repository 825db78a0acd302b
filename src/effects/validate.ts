import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ValidateInput, ValidateOutput } from '../../machines/provision.types.ts';
import { boardSecretFile, unusedBoardSecret } from '../config/provision/boardSecretFile.ts';
import { endpointOf } from '../config/provision/currentSettings.ts';
import { type ProvisionSettings, readProvisionJson } from '../config/provision/provisionJson.ts';
import { requireScrubbable } from '../config/provision/scrubSecret.ts';
import { settingsDigest } from '../config/provision/settingsDigest.ts';
import { listBackups } from '../config/thermal/backups.ts';
import { cameraProblems, parseThermalConfig } from '../config/thermal/cameraRules.ts';
import { replacementAttributes, requireReplaceable } from '../config/thermal/replacement.ts';
import { configWarnings, readThermalConfig, type ThermalConfigFile } from '../config/thermal/thermalConfig.ts';
import { hasOnlyVolatileIdentity } from '../device/board.ts';
import { deviceStorage, recoverableStorage, unseenStorage, volatileStorage } from '../device/deviceStorage.ts';
import { nameSourceOf } from '../device/nameSettings.ts';
import type { DevicePaths } from '../device/paths.ts';
import { requireRenamable } from '../device/trigger.ts';
import { hostAndPort, shownProxy } from '../endpoint.ts';
import { fileFailure } from '../failures/fileFailure.ts';
import type { Mount } from '../files/mountTable.ts';
import { folderOwner } from '../files/ownFiles.ts';
import { requireReplaceableFile } from '../files/replaceable.ts';
import { readStorageSources, type StorageSources } from '../files/storage.ts';
import { neededBytes, type PlannedFile, tryFolder } from '../files/trialWrite.ts';
import type { EffectCall, EffectDependencies } from './dependencies.ts';

/** ThingsBoard's limit (docs/thingsboard.md, section 2). */
const MAX_DEVICE_NAME = 255;
const VOLATILE_IDENTITY =
  'This board has no serial number, and a reboot changes its machine-id: if a reboot interrupts this run, its device is stranded. See doctor';
/** Upper limit of what the new credentials add to thermal_config.json. */
const ADDED_BYTES = 4096;
/** Upper limit of a certificate with a P-256 key. */
const CLIENT_FILE_BYTES = 2048;

/**
 * FR-002, FR-003: checks everything that could make the run fail later, before the first contact with the server:
 * provision.json, the CA file, the configuration, free space, that each file can be replaced or renamed, and each folder
 * with a rehearsal of the writes.
 * @throws Failure PROVISION_JSON_*, CA_FILE_UNUSABLE, CONFIG_*, FILE_NOT_PERMITTED, FOLDER_NOT_WRITABLE, DISK_*,
 * VOLATILE_STORAGE, BOARD_SECRET_UNUSABLE
 */
export async function validate(
  dependencies: EffectDependencies,
  _call: EffectCall<ValidateInput>,
): Promise<ValidateOutput> {
  const { paths, externalSettings, clock, log, board } = dependencies;
  const { settings, warnings, notes, path } = await readProvisionJson(paths.provisionJson, externalSettings);
  for (const note of notes) log.info('settings.taken', note);
  const storage = await readStorageSources();
  const mounts = storage.table;
  const scrubbed = settings.scrub ? [await requireScrubbable(path, paths.provisionJson, mounts)] : [];
  await endpointOf(settings, paths.deviceFolder);
  const config = await readThermalConfig(paths.deviceFolder);
  await requireReplaceable(config, mounts);
  await requireRenamable(paths, mounts);
  for (const path of [paths.snapshot, paths.credentials]) await requireReplaceableFile(path, mounts);
  const exposures = await tryFolders(paths, config, [...scrubbed, ...(await clientFilesOf(settings, config))], mounts);
  const boardSecret = boardSecretFile(settings, externalSettings);
  if (boardSecret !== undefined) {
    const { readBoardSecret } = await import('../device/boardSecret.ts');
    await readBoardSecret(boardSecret, paths.deviceFolder);
  }
  const isRecoverable = boardSecret !== undefined;
  const isAllowed = settings.allowVolatileStorage === true;
  await requireLastingStorage(dependencies, dirname(config.path), storage, { isRecoverable, isAllowed });
  if (hasOnlyVolatileIdentity(board) && !isRecoverable) log.warn('board.volatile', VOLATILE_IDENTITY);
  const backups = await listBackups(paths.deviceFolder);

  const lasting = [
    ...warnings.map((warning) => `provision.json: ${warning}`),
    ...[unusedBoardSecret(settings, externalSettings) ?? []].flat(),
    ...(await folderWarnings(paths.deviceFolder)),
    ...exposures,
  ];
  for (const warning of [...lasting, ...configWarnings(problemsLeft(config))]) log.warn('validate.warning', warning);
  const { host, port, useSsl, caFile, maxRetries, timeoutSeconds } = settings;
  const server = hostAndPort(settings);
  const { proxy } = settings;
  const through = proxy === undefined ? '' : `, through the proxy ${shownProxy(proxy)} (${proxy.from})`;
  log.info('validate.passed', `provision.json is complete; the server is ${server}${through}`, {
    server,
    ...(proxy === undefined ? {} : { proxy: shownProxy(proxy) }),
    ...(path === paths.provisionJson ? {} : { provisionJson: path }),
    tls: useSsl,
    nameSource: nameSourceOf(settings.name),
  });
  return {
    settings: {
      digest: settingsDigest(settings),
      server: { host, port, useSsl, caFile: caFile ?? null },
      nameSource: nameSourceOf(settings.name),
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

/** The files of the certificate and its key that `write` adds to the device folder. */
async function clientFilesOf({ credentials }: ProvisionSettings, config: ThermalConfigFile): Promise<PlannedFile[]> {
  if (credentials !== 'x509') return [];
  return [{ bytes: CLIENT_FILE_BYTES, attributes: { ...(await replacementAttributes(config)), mode: 0o600 } }];
}

/**
 * Rehearses the writes of the run in each folder.
 * @param others further files that the run writes in the device folder
 * @returns what is lost on file systems without modes
 */
async function tryFolders(
  paths: DevicePaths,
  config: ThermalConfigFile,
  others: readonly PlannedFile[],
  mounts: readonly Mount[] | null,
): Promise<string[]> {
  const { deviceFolder, stateFolder } = paths;
  const bytes = config.bytes?.length ?? 0;
  const backup = config.exists
    ? [{ bytes, attributes: { mode: 0o600, ...(await folderOwner(paths.thermalConfig)) } }]
    : [];
  const newConfig = { bytes: bytes + ADDED_BYTES, attributes: await replacementAttributes(config) };
  const target = dirname(config.path);
  const isLinked = target !== deviceFolder && target !== (await realpath(deviceFolder));
  const ofFolder = new Map<string, readonly PlannedFile[]>([
    [deviceFolder, [...backup, ...others, ...(isLinked ? [] : [newConfig])]],
    ...(isLinked ? [[target, [newConfig]] as const] : []),
    [stateFolder, []],
  ]);
  // Room for the backup and the new file, in addition to the current file.
  const needed = neededBytes(bytes);
  const proven = new Set<number>();
  const exposures = new Map<number, string>();
  for (const [folder, files] of ofFolder) {
    // The agent has synced the other folders before, or syncs them before the request.
    const syncsFolder = isLinked && folder === target;
    const { fileSystem, exposure } = await tryFolder(folder, { needed, files, proven, syncsFolder, mounts });
    proven.add(fileSystem);
    if (exposure !== undefined && !exposures.has(fileSystem)) exposures.set(fileSystem, exposure);
  }
  return [...exposures.values()];
}

/**
 * Without lasting storage each boot would register another device, unless a board secret brings the same one back. The
 * warnings are only logged: `status` finds out itself how things are when it is called.
 * @throws Failure VOLATILE_STORAGE
 */
async function requireLastingStorage(
  { paths, log }: EffectDependencies,
  configFolder: string,
  storage: StorageSources,
  { isRecoverable, isAllowed }: { readonly isRecoverable: boolean; readonly isAllowed: boolean },
): Promise<void> {
  const folders = await deviceStorage(paths, configFolder, storage);
  const failure = volatileStorage(folders);
  if (failure !== undefined && !isRecoverable && !isAllowed) throw failure;
  const lost = isRecoverable
    ? recoverableStorage(folders)
    : failure && `${failure.message} (provision.json allows this)`;
  if (lost !== undefined) log.warn('storage.volatile', lost);
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
