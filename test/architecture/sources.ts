/** The project's sources as text, and their imports. TypeScript 7 has no JavaScript API for this. */

import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Import {
  /** A path relative to the project's folder, or the name of a package. */
  readonly target: string;
  /** `loads`: the target is loaded together with the source; `later`: by `import()`. */
  readonly kind: 'loads' | 'later' | 'type';
}

export interface Source {
  /** Relative to the project's folder. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

const STATEMENT = /^(?:import|export)\s+(type\s+(?!from\b))?(?:[^'";]*?\sfrom\s*)?['"]([^'"]+)['"]/gm;
const CALL = /\bimport\(\s*['"]([^'"]+)['"]/g;

/** @param path of the source, relative to the project's folder */
export function importsOf(path: string, text: string): Import[] {
  const absolute = (name: string): string =>
    name.startsWith('.') ? posix.join(posix.dirname(path), name) : name.replace(/^((?:@[^/]+\/)?[^/]+).*$/, '$1');
  return [
    ...[...text.matchAll(STATEMENT)].map(([, type, name = '']): Import => {
      return { target: absolute(name), kind: type === undefined ? 'loads' : 'type' };
    }),
    ...[...text.matchAll(CALL)].map(([, name = '']): Import => ({ target: absolute(name), kind: 'later' })),
  ];
}

/** Every TypeScript source below the given folders. */
export function sourcesIn(...folders: readonly string[]): Source[] {
  return folders.flatMap((folder) => {
    const names = readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' });
    return names
      .filter((name) => name.endsWith('.ts'))
      .map((name) => {
        const path = `${folder}/${name}`;
        const text = readFileSync(`${ROOT}${path}`, 'utf8');
        return { path, text, imports: importsOf(path, text) };
      });
  });
}
