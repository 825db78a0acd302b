import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_KEEP_BACKUPS } from '../defaults.ts';
import { LOG_FORMATS } from '../log/format.ts';
import { LOG_LEVELS } from '../log/log.ts';
import { MAX_SPLAY, splayFrom } from './agentArguments.ts';

const MAX_BACKUPS = 1000;

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= MAX_BACKUPS) return count;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${MAX_BACKUPS}.`);
}

function parseSplay(text: string): number {
  const seconds = splayFrom(text);
  if (seconds !== undefined) return seconds;
  throw new InvalidArgumentError(`Expected a whole number of seconds from 0 to ${MAX_SPLAY}.`);
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
        .default(DEFAULT_KEEP_BACKUPS),
    )
    .addOption(
      new Option(
        '--splay <seconds>',
        `spread the first contact of many devices over so many seconds, ${MAX_SPLAY} at most`,
      )
        .env('THERMAL_SPLAY')
        .argParser(parseSplay)
        .default(0),
    );
}
