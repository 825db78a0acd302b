import { opendir, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { MAX_ENTRIES, meantIn, nearNames, nothingMessage } from './nearlyNamed.ts';
import type { DevicePaths } from './paths.ts';

/** The first names in a folder. None if it can't be read: the readers of its files report that. */
async function namesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of await opendir(folder, { bufferSize: 256 })) {
      if (names.push(name) >= MAX_ENTRIES) break;
    }
  } catch {
    return names;
  }
  return names;
}

/** Something under the right name that does not count as the file. */
async function wrongKind(path: string, names: readonly string[]): Promise<readonly string[]> {
  const name = basename(path);
  if (!names.includes(name)) return [];
  const kind = await stat(path).then(
    (stats) => (stats.isDirectory() ? 'a folder' : undefined),
    () => 'a link whose target is missing',
  );
  return kind === undefined ? [] : [`${JSON.stringify(name)} (${kind})`];
}

/**
 * What may be meant as a file that is not there: names in its folder that are nearly right, in quotes, and something
 * else under its name. Reads a limited number of entries. Never throws.
 */
export async function nearMisses(path: string): Promise<readonly string[]> {
  const names = await namesIn(dirname(path));
  return [...(await wrongKind(path, names)), ...nearNames(names, basename(path))];
}

/** The message of a start that finds no trigger, with the folder and what may be meant as one. */
export async function nothingHere({ deviceFolder, provisionTxt }: DevicePaths): Promise<string> {
  const names = await namesIn(deviceFolder);
  return nothingMessage(deviceFolder, [...(await wrongKind(provisionTxt, names)), ...meantIn(names)]);
}
