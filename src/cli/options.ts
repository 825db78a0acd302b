import { type Command, InvalidArgumentError, Option } from 'commander';
import { LOG_FORMATS } from '../log/format.ts';
import { LOG_LEVELS } from '../log/levels.ts';
import { DEFAULT_KEEP_BACKUPS, MAX_SPLAY } from '../provision/defaults.ts';
import { splayFrom } from './arguments.ts';

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

/** An empty path would mean the current folder, which the agent would then close to everybody else. */
function parseStateFolder(path: string): string {
  if (path !== '') return path;
  throw new InvalidArgumentError('Expected the path of a folder.');
}

/**
 * An option that the environment can set, too. An empty variable counts as not set: `Environment=THERMAL_SPLAY=` in a
 * systemd drop-in takes a setting back. commander would take the empty text for a value.
 */
export function withVariable(option: Option, variable: string): Option {
  return process.env[variable] === '' ? option : option.env(variable);
}

/** `--dir` and `--state-dir`, which every command that looks at a device has. */
export function addFolderOptions(command: Command): Command {
  const dir = new Option('--dir <folder>', 'device folder, with provision.txt and thermal_config.json');
  const stateDir = new Option('--state-dir <folder>', "the agent's own folder").argParser(parseStateFolder);
  return command
    .addOption(withVariable(dir, 'THERMAL_DIR').default('.', 'the current folder'))
    .addOption(withVariable(stateDir, 'THERMAL_STATE_DIR').default(undefined, 'provision-state in the device folder'));
}

export function addAgentOptions(command: Command): Command {
  const logFormat = new Option(
    '--log-format <format>',
    'log lines for people or for machines (default: text on a terminal, else json)',
  );
  const logLevel = new Option('--log-level <level>', 'least important level that is logged (default: info)');
  const keepBackups = new Option('--keep-backups <n>', 'backups of thermal_config.json that stay after a success');
  const splay = new Option(
    '--splay <seconds>',
    `spread the first contact of many devices over so many seconds, ${MAX_SPLAY} at most`,
  );
  return addFolderOptions(command)
    .addOption(withVariable(logFormat.choices(LOG_FORMATS), 'THERMAL_LOG_FORMAT'))
    .addOption(withVariable(logLevel.choices(LOG_LEVELS), 'THERMAL_LOG_LEVEL'))
    .addOption(withVariable(keepBackups.argParser(parseCount), 'THERMAL_KEEP_BACKUPS').default(DEFAULT_KEEP_BACKUPS))
    .addOption(withVariable(splay.argParser(parseSplay), 'THERMAL_SPLAY').default(0));
}
