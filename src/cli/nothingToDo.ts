import { MAX_ENTRIES, meantIn, nothingMessage, TRIGGER } from '../device/nearlyNamed.ts';
import { formatRecord, isLogFormat, isLogLevel } from '../log/format.ts';
import type { EventRecord } from '../log/recordedEvent.ts';
import { isJournalStream, withPriority } from '../systemd/journald.ts';

type Environment = Readonly<Record<string, string | undefined>>;

// An import would evaluate every export of the module, which costs 1.5 ms at each boot.
const { fstatSync, opendirSync, statSync } = process.getBuiltinModule('node:fs');

const STANDARD_ERROR = 2;
const OPEN_TO_OTHERS = 0o077;

/** Options of `run`: the variable of each, and a check for values that commander certainly accepts. */
const KNOWN = new Map([
  ['--dir', { variable: 'THERMAL_DIR', accepts: (text: string) => text !== '' }],
  ['--state-dir', { variable: 'THERMAL_STATE_DIR', accepts: (text: string) => text !== '' }],
  ['--log-format', { variable: 'THERMAL_LOG_FORMAT', accepts: isLogFormat }],
  ['--log-level', { variable: 'THERMAL_LOG_LEVEL', accepts: isLogLevel }],
  ['--splay', { variable: 'THERMAL_SPLAY', accepts: (text: string) => /^\d{1,2}$/.test(text) }],
  ['--keep-backups', { variable: 'THERMAL_KEEP_BACKUPS', accepts: (text: string) => /^[1-9]\d?$/.test(text) }],
]);

/** The settings of a simple `run`. Flags override the environment. Undefined: only commander can parse the arguments. */
function plainSettings([command, ...words]: readonly string[], env: Environment): Map<string, string> | undefined {
  if (command !== 'run') return undefined;
  const settings = new Map<string, string>();
  for (const [name, { variable, accepts }] of KNOWN) {
    const value = env[variable] ?? '';
    // An empty variable counts as not set (src/cli/options.ts).
    if (value !== '' && !accepts(value)) return undefined;
    if (value !== '') settings.set(name, value);
  }
  for (let index = 0; index < words.length; index += 2) {
    const [name = '', value = ''] = words.slice(index, index + 2);
    if (value.startsWith('-') || KNOWN.get(name)?.accepts(value) !== true) return undefined;
    settings.set(name, value);
  }
  return settings;
}

/** The first names in a folder. */
function namesIn(path: string): readonly string[] {
  const folder = opendirSync(path, { bufferSize: 256 });
  const names: string[] = [];
  try {
    for (let entry = folder.readSync(); entry !== null && names.length < MAX_ENTRIES; entry = folder.readSync()) {
      names.push(entry.name);
    }
  } finally {
    folder.closeSync();
  }
  return names;
}

const isAbsent = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) === undefined;

/**
 * Decides before any library is loaded whether this boot has nothing to do. Everything unusual, in the command line or
 * on the disk, is left to commander and the agent, which report it.
 * @param stderr descriptor
 * @returns the text to print; undefined: there may be work to do
 */
export function nothingToDo(argv: readonly string[], env: Environment, stderr = STANDARD_ERROR): string | undefined {
  const settings = plainSettings(argv, env);
  if (settings === undefined) return undefined;
  const folder = settings.get('--dir') ?? '.';
  const stateFolder = settings.get('--state-dir') ?? `${folder}/provision-state`;
  try {
    // On a terminal, `run` shows its progress instead of log lines.
    // (/dev/null is a character device, too.)
    if (fstatSync(stderr).isCharacterDevice() && process.getBuiltinModule('node:tty').isatty(stderr)) return undefined;
    if (!statSync(folder).isDirectory()) return undefined;
    // The agent must create the state folder, or remove the access of other users to it.
    const state = statSync(stateFolder, { throwIfNoEntry: settings.has('--state-dir') });
    if (state !== undefined && !(state.isDirectory() && (state.mode & OPEN_TO_OTHERS) === 0)) return undefined;
    if (!isAbsent(`${folder}/${TRIGGER}`) || !isAbsent(`${stateFolder}/credentials.json`)) return undefined;
    const level = settings.get('--log-level') ?? 'info';
    if (level === 'error' || level === 'warn') return '';
    const names = namesIn(folder);
    // A link without a target is left to the agent.
    if (names.includes(TRIGGER)) return undefined;
    const message = nothingMessage(process.getBuiltinModule('node:path').resolve(folder), meantIn(names));
    const text = lineFor(settings.get('--log-format'), message);
    return `${isJournalStream(env, stderr) ? withPriority('info', text) : text}\n`;
  } catch {
    return undefined;
  }
}

const lineFor = (format: string | undefined, message: string): string =>
  formatRecord(format === 'text' ? 'text' : 'json', {
    time: new Date().toISOString(),
    level: 'info',
    event: 'run.nothing',
    message,
    runId: null,
    state: null,
    attempt: null,
    details: {},
  } satisfies EventRecord<'run.nothing'>);
