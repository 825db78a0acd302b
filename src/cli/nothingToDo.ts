import { fstatSync, statSync, writeSync } from 'node:fs';
import { formatRecord, isLogFormat, type LogFormat } from '../log/format.ts';
import type { EventRecord } from '../log/recordedEvent.ts';
import { MAX_SPLAY } from '../provision/defaults.ts';
import { isJournalStream, withPriority } from '../systemd/journald.ts';

/** The options of `run` that this path understands; anything else is left to the real parser. */
const OPTIONS: Readonly<Record<string, string>> = {
  '--dir': 'THERMAL_DIR',
  '--state-dir': 'THERMAL_STATE_DIR',
  '--log-format': 'THERMAL_LOG_FORMAT',
  '--log-level': 'THERMAL_LOG_LEVEL',
  '--splay': 'THERMAL_SPLAY',
};

const STANDARD_ERROR = 2;

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `run` and its plain options over the environment; undefined: the real parser must look at this. An empty variable
 * (`Environment=THERMAL_SPLAY=` of systemd) counts as not set; an empty option is the parser's.
 */
export function plainRun(argv: readonly string[], env: Environment): Environment | undefined {
  if (argv[0] !== 'run') return undefined;
  const settings: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(env)) if (value !== '') settings[name] = value;
  for (let index = 1; index < argv.length; index += 2) {
    const name = argv[index] ?? '';
    // Its own entries alone: `constructor` is no option.
    const variable = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
    const value = argv[index + 1];
    if (variable === undefined || value === undefined || value === '' || value.startsWith('-')) return undefined;
    settings[variable] = value;
  }
  return settings;
}

/** node:tty, which brings the network's modules along, is loaded only for what may be one. */
const isTerminal = (): boolean =>
  fstatSync(STANDARD_ERROR).isCharacterDevice() && process.getBuiltinModule('node:tty').isatty(STANDARD_ERROR);

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
  const folder = settings.THERMAL_DIR ?? '.';
  const stateFolder = settings.THERMAL_STATE_DIR ?? `${folder}/provision-state`;
  const level = settings.THERMAL_LOG_LEVEL ?? 'info';
  const splay = settings.THERMAL_SPLAY ?? '0';
  if (!/^\d+$/.test(splay) || Number(splay) > MAX_SPLAY) return false;
  if (!['error', 'warn', 'info', 'debug'].includes(level)) return false;
  try {
    const format = settings.THERMAL_LOG_FORMAT ?? (isTerminal() ? 'text' : 'json');
    if (!isLogFormat(format)) return false;
    if (!statSync(folder).isDirectory()) return false;
    if (!isAbsent(`${folder}/provision.txt`) || !isAbsent(`${stateFolder}/credentials.json`)) return false;
    if (level === 'info' || level === 'debug') {
      const text = isJournalStream(env) ? withPriority('info', line(format)) : line(format);
      writeSync(STANDARD_ERROR, `${text}\n`);
    }
    return true;
  } catch {
    return false;
  }
}

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
  } satisfies EventRecord<'run.nothing'>);
