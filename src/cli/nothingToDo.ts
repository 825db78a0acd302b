import { statSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { formatRecord, type LogFormat } from '../log/format.ts';

/** The options of `run` that this path understands; anything else is left to the real parser. */
const OPTIONS: Readonly<Record<string, string>> = {
  '--dir': 'THERMAL_DIR',
  '--state-dir': 'THERMAL_STATE_DIR',
  '--log-format': 'THERMAL_LOG_FORMAT',
  '--log-level': 'THERMAL_LOG_LEVEL',
};

const STANDARD_ERROR = 2;

type Environment = Readonly<Record<string, string | undefined>>;

/** `run` and its plain options over the environment; undefined: the real parser must look at this. */
function plainRun(argv: readonly string[], env: Environment): Environment | undefined {
  if (argv[0] !== 'run') return undefined;
  const settings: Record<string, string | undefined> = { ...env };
  for (let index = 1; index < argv.length; index += 2) {
    const variable = OPTIONS[argv[index] ?? ''];
    const value = argv[index + 1];
    if (variable === undefined || value === undefined || value.startsWith('-')) return undefined;
    settings[variable] = value;
  }
  return settings;
}

function isAbsent(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) === undefined;
}

/**
 * The whole of a boot without work: says so in one line and is done. Whatever is unusual in the arguments or on the
 * disk is left to the agent, which knows what to say about it.
 * @returns whether that was all
 */
export function nothingToDo(argv: readonly string[], env: Environment): boolean {
  const settings = plainRun(argv, env);
  if (settings === undefined) return false;
  const folder = settings.THERMAL_DIR || '.';
  const stateFolder = settings.THERMAL_STATE_DIR || `${folder}/provision-state`;
  const level = settings.THERMAL_LOG_LEVEL || 'info';
  const format = settings.THERMAL_LOG_FORMAT || (isatty(STANDARD_ERROR) ? 'text' : 'json');
  if (!['error', 'warn', 'info', 'debug'].includes(level) || !isFormat(format)) return false;
  try {
    if (!statSync(folder).isDirectory()) return false;
    if (!isAbsent(`${folder}/provision.txt`) || !isAbsent(`${stateFolder}/credentials.json`)) return false;
    if (level === 'info' || level === 'debug') writeSync(STANDARD_ERROR, `${line(format)}\n`);
    return true;
  } catch {
    return false;
  }
}

const isFormat = (format: string): format is LogFormat => format === 'text' || format === 'json';

const line = (format: LogFormat): string =>
  formatRecord(format, {
    time: new Date().toISOString(),
    level: 'info',
    event: 'run.nothing',
    message: 'No provision.txt: nothing to do',
    runId: null,
    state: null,
    attempt: null,
    details: {},
  });
