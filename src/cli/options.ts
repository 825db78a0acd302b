/**
 * The options that several commands share: description, parser and effect. test/cli/agentOptions.test.ts checks that
 * each option has an effect.
 */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { externalSettings } from '../config/provision/externalSettings.ts';
import { type DevicePaths, devicePaths } from '../device/paths.ts';
import { LOG_FORMATS, type LogFormat } from '../log/format.ts';
import { LOG_LEVELS, type LogLevel } from '../log/levels.ts';
import type { WinstonSinkOptions } from '../log/winstonSink.ts';
import { type AgentOptions, DEFAULT_KEEP_BACKUPS, MAX_KEEP_BACKUPS, MAX_SPLAY } from '../provision/pass.ts';
import { VERSION } from '../version.ts';

/** The device folder of a command, as commander gives it. */
export interface FolderArguments {
  readonly dir: string;
  readonly stateDir?: string;
}

/** The common options of `run` and `start`, as commander gives them. */
export interface AgentArguments extends FolderArguments {
  readonly logFormat?: LogFormat;
  readonly logLevel?: LogLevel;
  readonly keepBackups: number;
  /** Seconds. */
  readonly splay: number;
}

/** Makes a parser of a whole number in a range. */
const wholeNumber = (what: string, least: number, most: number) => (text: string) => {
  if (/^\d+$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
  throw new InvalidArgumentError(`Expected a whole ${what} from ${least} to ${most}.`);
};

/** An empty path would mean the current folder, and the agent would remove the access of other users to it. */
function parseStateFolder(path: string): string {
  if (path !== '') return path;
  throw new InvalidArgumentError('Expected the path of a folder.');
}

/**
 * An option that a variable can set as well. An empty variable counts as not set, because `Environment=THERMAL_SPLAY=` in
 * a systemd drop-in removes a setting. commander would use the empty text as the value.
 */
export function withVariable(option: Option, variable: string): Option {
  return process.env[variable] === '' ? option : option.env(variable);
}

/** Adds `--dir` and `--state-dir`, which every command for a device has. */
export function addFolderOptions(command: Command): Command {
  const dir = new Option('--dir <folder>', 'device folder with provision.txt and thermal_config.json');
  const stateDir = new Option(
    '--state-dir <folder>',
    "folder for the agent's own files (default: provision-state in the device folder)",
  ).argParser(parseStateFolder);
  return command
    .addOption(withVariable(dir, 'THERMAL_DIR').default('.', 'the current folder'))
    .addOption(withVariable(stateDir, 'THERMAL_STATE_DIR'));
}

export const pathsFrom = ({ dir, stateDir }: FolderArguments): DevicePaths =>
  devicePaths(resolve(dir), stateDir === undefined ? undefined : resolve(stateDir));

/** Identity of the board; empty: the agent reads it from the hardware. */
export const boardId = (): string => process.env.THERMAL_BOARD_ID ?? '';

/** Adds the options of every command that provisions. */
export function addAgentOptions(command: Command): Command {
  const logFormat = new Option(
    '--log-format <format>',
    'log lines for people (text) or for programs (json) (default: text on a terminal, else json)',
  );
  const logLevel = new Option('--log-level <level>', 'least important level to log (default: info)');
  const keepBackups = new Option(
    '--keep-backups <n>',
    'number of backups of thermal_config.json to keep after a success',
  ).argParser(wholeNumber('number', 1, MAX_KEEP_BACKUPS));
  const splay = new Option(
    '--splay <seconds>',
    `spread the first contact of many devices over this time, at most ${MAX_SPLAY}`,
  ).argParser(wholeNumber('number of seconds', 0, MAX_SPLAY));
  return addFolderOptions(command)
    .addOption(withVariable(logFormat.choices(LOG_FORMATS), 'THERMAL_LOG_FORMAT'))
    .addOption(withVariable(logLevel.choices(LOG_LEVELS), 'THERMAL_LOG_LEVEL'))
    .addOption(withVariable(keepBackups, 'THERMAL_KEEP_BACKUPS').default(DEFAULT_KEEP_BACKUPS))
    .addOption(withVariable(splay, 'THERMAL_SPLAY').default(0));
}

/** The options of the agent for `run` and `start`. @param rest options that do not come from the command line */
export const agentOptions = (
  given: AgentArguments,
  rest: Pick<AgentOptions, 'sink' | 'signal' | 'onState' | 'inspect'>,
): AgentOptions => ({
  paths: pathsFrom(given),
  agentVersion: VERSION,
  keepBackups: given.keepBackups,
  splaySeconds: given.splay,
  boardId: boardId(),
  externalSettings: externalSettings(process.env),
  ...rest,
});

/** How `run` and `start` print log lines. `--log-level` overrides the configuration. */
export const logLines = (
  { logFormat, logLevel }: AgentArguments,
  configured: LogLevel = 'info',
): Pick<WinstonSinkOptions, 'level' | 'format'> => ({
  level: logLevel ?? configured,
  format: logFormat ?? (process.stderr.isTTY ? 'text' : 'json'),
});
