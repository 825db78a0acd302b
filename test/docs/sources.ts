import { readdirSync, readFileSync } from 'node:fs';
import { ROOT } from './markdown.ts';

/** The text of every source file below src/, by its path. */
export function sources(): ReadonlyMap<string, string> {
  const names = readdirSync(`${ROOT}src`, { recursive: true, encoding: 'utf8' });
  return new Map(
    names.filter((name) => name.endsWith('.ts')).map((name) => [name, readFileSync(`${ROOT}src/${name}`, 'utf8')]),
  );
}
