import { statSync, writeFileSync } from 'node:fs';

const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

/**
 * Acts like a broken card: changes a file's content as soon as the file was replaced. It checks in every turn of the
 * event loop, so no other code of this process sees the file before the change.
 * @returns a function that stops the checks
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
