import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { LOG_FORMATS, type LogFormat } from '../log/format.ts';
import { LOG_LEVELS, type LogLevel } from '../log/log.ts';
import { type DevicePaths, devicePaths } from '../state/paths.ts';

/** What `run` and `start` have in common, as commander gives it. */
export interface AgentArguments {
  readonly dir: string;
  readonly stateDir?: string;
  readonly logFormat?: LogFormat;
  readonly logLevel?: LogLevel;
  readonly keepBackups: number;
}

const MAX_BACKUPS = 1000;

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= MAX_BACKUPS) return count;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${MAX_BACKUPS}.`);
}

/** `--dir` and `--state-dir`, which every command that looks at a device has. */
export function addFolderOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--dir <folder>', 'device folder, with provision.txt and thermal_config.json')
        .env('THERMAL_DIR')
        .default('.', 'the current folder'),
    )
    .addOption(
      new Option('--state-dir <folder>', "the agent's own folder")
        .env('THERMAL_STATE_DIR')
        .default(undefined, 'provision-state in the device folder'),
    );
}

export function addAgentOptions(command: Command): Command {
  return addFolderOptions(command)
    .addOption(
      new Option(
        '--log-format <format>',
        'log lines for people or for machines (default: text on a terminal, else json)',
      )
        .choices(LOG_FORMATS)
        .env('THERMAL_LOG_FORMAT'),
    )
    .addOption(
      new Option('--log-level <level>', 'least important level that is logged (default: info)')
        .choices(LOG_LEVELS)
        .env('THERMAL_LOG_LEVEL'),
    )
    .addOption(
      new Option('--keep-backups <n>', 'backups of thermal_config.json that stay after a success')
        .env('THERMAL_KEEP_BACKUPS')
        .argParser(parseCount)
        .default(5),
    );
}

export function pathsFrom({ dir, stateDir }: Pick<AgentArguments, 'dir' | 'stateDir'>): DevicePaths {
  return devicePaths(resolve(dir), stateDir === undefined ? undefined : resolve(stateDir));
}

export const formatFrom = ({ logFormat }: AgentArguments): LogFormat =>
  logFormat ?? (process.stderr.isTTY ? 'text' : 'json');
