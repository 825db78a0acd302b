import { statSync, writeFileSync } from 'node:fs';

const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

/**
 * Does what a broken card does: as soon as a file was replaced, other content stands in it. Looks once in every turn of
 * the event loop, so no other code of this process sees the file in between.
 * @returns ends it
 */
export function replaceOnceWritten(path: string, content: string): () => void {
  const before = inodeOf(path);
  let immediate: NodeJS.Immediate;
  const look = (): void => {
    const now = inodeOf(path);
    if (now !== undefined && now !== before) writeFileSync(path, content);
    else immediate = setImmediate(look);
  };
  immediate = setImmediate(look);
  return () => clearImmediate(immediate);
}
