import { readdirSync, readFileSync } from 'node:fs';
import { ROOT } from './markdown.ts';

/** A call that logs something: its level, and its first argument as it stands in the source. */
const LOG_CALL = /\b\w*[lL]og\.(debug|info|warn|error)\(\s*([^,)]+)/g;
const RATE_LIMITED = /createRateLimitedWarning\(\s*\w+,\s*\w+,\s*'([^']+)'/g;
const BY_HAND = /level: '(\w+)',\s*event: '([^']+)'/g;

/** Text of every source file below src/, by its path. */
export function sources(): ReadonlyMap<string, string> {
  const names = readdirSync(`${ROOT}src`, { recursive: true, encoding: 'utf8' });
  return new Map(
    names.filter((name) => name.endsWith('.ts')).map((name) => [name, readFileSync(`${ROOT}src/${name}`, 'utf8')]),
  );
}

/** `credentials.${reason.why}`: one name for each text that the file gives a property `why`. */
function expandTemplate(template: string, source: string): string[] {
  const [, start = '', property = ''] = /^`([a-z.]+)\$\{\w+\.(\w+)\}`$/.exec(template) ?? [];
  return [...source.matchAll(new RegExp(`\\b${property}: '(\\w+)'`, 'g'))].map(([, end]) => `${start}${end}`);
}

function namesIn(argument: string, source: string): string[] {
  if (argument.startsWith('`')) return expandTemplate(argument.trim(), source);
  return [...argument.matchAll(/'([^']+)'/g)].map(([, name = '']) => name);
}

export interface LoggedEvents {
  /** Event → the levels it is logged at, sorted. */
  readonly levels: ReadonlyMap<string, readonly string[]>;
  /** Files with a log call whose event can't be read from the source. */
  readonly unreadable: readonly string[];
}

/** Every event that the sources log. */
export function loggedEvents(): LoggedEvents {
  const levels = new Map<string, string[]>();
  const unreadable: string[] = [];
  const add = (event: string, level: string): void => {
    const known = levels.get(event) ?? [];
    levels.set(event, [...new Set([...known, level])].sort());
  };
  for (const [file, source] of sources()) {
    for (const [, level = '', argument = ''] of source.matchAll(LOG_CALL)) {
      const names = namesIn(argument, source);
      if (names.length === 0) unreadable.push(file);
      for (const name of names) add(name, level);
    }
    for (const [, event = ''] of source.matchAll(RATE_LIMITED)) add(event, 'warn');
    for (const [, level = '', event = ''] of source.matchAll(BY_HAND)) add(event, level);
  }
  return { levels, unreadable };
}
