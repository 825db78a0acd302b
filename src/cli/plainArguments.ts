import { isLogFormat } from '../log/format.ts';
import { isLogLevel } from '../log/levels.ts';
import { DEFAULT_KEEP_BACKUPS } from '../provision/defaults.ts';
import { type AgentArguments, splayFrom } from './arguments.ts';
import type { Environment } from './nothingToDo.ts';

/** `undefined` where the text is none of the known ones. */
function oneOf<T extends string>(text: string, isKnown: (text: string) => text is T): T | undefined {
  return isKnown(text) ? text : undefined;
}

/**
 * The arguments of `run` without the parser of the command line, which a boot would load for four plain options.
 * @param settings from `plainRun`, so that none of them is empty
 * @returns undefined: the parser must look at this
 */
export function plainArguments(settings: Environment): AgentArguments | undefined {
  const { THERMAL_DIR: dir = '.', THERMAL_STATE_DIR: stateDir } = settings;
  const {
    THERMAL_LOG_FORMAT: format,
    THERMAL_LOG_LEVEL: level,
    THERMAL_KEEP_BACKUPS: count,
    THERMAL_SPLAY = '0',
  } = settings;
  const logFormat = format === undefined ? undefined : oneOf(format, isLogFormat);
  const logLevel = level === undefined ? undefined : oneOf(level, isLogLevel);
  if (count !== undefined) return undefined;
  const splay = splayFrom(THERMAL_SPLAY);
  if (splay === undefined || format !== logFormat || level !== logLevel) return undefined;
  return {
    dir,
    ...(stateDir === undefined ? {} : { stateDir }),
    ...(logFormat === undefined ? {} : { logFormat }),
    ...(logLevel === undefined ? {} : { logLevel }),
    keepBackups: DEFAULT_KEEP_BACKUPS,
    splay,
  };
}
