import { createTemperatureSource } from '../../client/createTemperatureSource.ts';
import { createProvisioningRecord } from '../../client/provisioningRecord.ts';
import { runClient } from '../../client/runClient.ts';
import { parseThermalConfig } from '../../config/thermal/cameraRules.ts';
import { type ClientConfig, logFilePath } from '../../config/thermal/clientConfig.ts';
import { credentialsOf } from '../../config/thermal/loginCredentials.ts';
import { readThermalConfig } from '../../config/thermal/thermalConfig.ts';
import type { DevicePaths } from '../../device/paths.ts';
import { EXIT } from '../../failures/exit.ts';
import { Failure, toFailureRecord } from '../../failures/failure.ts';
import { folderOwner } from '../../files/ownFiles.ts';
import { createLog, failureFields, type Log } from '../../log/log.ts';
import { type WinstonSinkOptions, winstonSink } from '../../log/winstonSink.ts';
import { runAgent } from '../../provision/agent.ts';
import type { AgentOptions } from '../../provision/pass.ts';
import type { AgentResult } from '../../provision/result.ts';
import { type Clock, systemClock } from '../../time/clock.ts';
import type { InspectArguments } from '../inspectOption.ts';
import { type AgentArguments, agentOptions, logLines, pathsFrom } from '../options.ts';
import { remoteMethods } from './remoteMethods.ts';

/** The group of the camera may read the log of normal operation, but not the agent's own files. */
const LOG_FILE_MODE = 0o640;

/** The options of `start`, as commander gives them. */
export interface StartArguments extends AgentArguments, InspectArguments {
  readonly provision: boolean;
  readonly source: string;
  readonly allowRpc: 'yes' | 'no';
}

type Watched = Pick<AgentOptions, 'inspect'>;

/**
 * Provisions if requested, then publishes telemetry until the signal. If provisioning fails, the camera uses its existing
 * configuration (story P2).
 * @param signal stops the run and normal operation
 * @param watched inspector of the charts
 * @returns the exit status; TEMPFAIL: the server has asked for a new run, so this program must be started again
 */
export async function startDevice(options: StartArguments, signal: AbortSignal, watched: Watched): Promise<number> {
  const clock = systemClock();
  const paths = pathsFrom(options);
  const console = winstonSink(logLines(options));
  let result: AgentResult | undefined;
  if (options.provision) result = await runAgent(agentOptions(options, { sink: console.sink, signal, ...watched }));
  const isOver = result?.failure?.code === 'LOCKED' || result?.failure?.code === 'DEVICE_FOLDER_MISSING';
  if (result !== undefined && (isOver || result.outcome === 'interrupted')) return result.exitStatus;

  const consoleLog = createLog(console.sink, clock, { runId: null, state: null, attempt: null });
  let config: ClientConfig;
  try {
    config = await loadConfig(paths.deviceFolder);
  } catch (error) {
    const failure = toFailureRecord(error);
    consoleLog.error('start.failed', failure.message, failureFields(failure));
    return result?.failure?.exitStatus ?? failure.exitStatus;
  }
  if (result?.failure !== undefined && result.failure !== null) {
    const device = config.thingsboard.deviceId;
    consoleLog.warn(
      'start.existing',
      `Provisioning failed (${result.failure.code}). The existing configuration of ${device} is used`,
      { code: result.failure.code, deviceName: device },
    );
  }
  const configured = winstonSink(await sinkOptions(options, config, paths));
  // logrotate's script may send it.
  process.on('SIGHUP', configured.reopen);
  const log = createLog(configured.sink, clock, { runId: result?.runId ?? null, state: null, attempt: null });
  try {
    const { runRequested } = await operate(options, paths, config, log, clock, signal, watched);
    return runRequested ? EXIT.TEMPFAIL : EXIT.OK;
  } finally {
    process.off('SIGHUP', configured.reopen);
    configured.close();
    console.close();
  }
}

/**
 * @throws Failure CONFIG_MISSING, CONFIG_INVALID, CONFIG_UNREADABLE, CONFIG_TOO_LARGE, CONFIG_LINK_UNTRUSTED,
 * CLIENT_CERTIFICATE_UNUSABLE
 */
async function loadConfig(folder: string): Promise<ClientConfig> {
  const file = await readThermalConfig(folder, 'read');
  if (file.bytes === undefined) throw new Failure('CONFIG_MISSING', 'absent', { path: file.path });
  const config = parseThermalConfig(file.bytes);
  await credentialsOf(config.thingsboard.login, folder);
  return config;
}

/** A flag overrides the environment, which overrides the `logging` section of thermal_config.json. */
async function sinkOptions(
  options: StartArguments,
  { logging }: ClientConfig,
  paths: DevicePaths,
): Promise<WinstonSinkOptions> {
  const lines = logLines(options, logging.level);
  const path = logFilePath(logging, paths.deviceFolder);
  if (path === undefined) return lines;
  const attributes = { mode: LOG_FILE_MODE, ...(await folderOwner(path).catch(() => ({}))) };
  return { ...lines, file: { path, only: logging.output === 'file', attributes } };
}

function operate(
  options: StartArguments,
  paths: DevicePaths,
  config: ClientConfig,
  log: Log,
  clock: Clock,
  signal: AbortSignal,
  watched: Watched,
): ReturnType<typeof runClient> {
  return runClient({
    deviceFolder: paths.deviceFolder,
    config,
    readConfig: () => loadConfig(paths.deviceFolder),
    source: createTemperatureSource(options.source, { log, clock }),
    record: createProvisioningRecord(paths, log),
    methods: remoteMethods({ paths, log, allowed: options.allowRpc === 'yes' }),
    log,
    clock,
    signal,
    ...watched,
  });
}
