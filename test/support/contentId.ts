import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';

/** Length and digest of a content: two are compared at once, however long they are, and no secret shows in a diff. */
export function contentId(content: string | Uint8Array): string {
  const bytes = Buffer.from(content);
  return `${bytes.length} bytes, ${createHash('sha256').update(bytes).digest('hex')}`;
}

/** contentId of what a file holds; `no file` for everything that can't be read as one. */
export async function fileContentId(path: string): Promise<string> {
  const isFile = await stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
  return isFile ? contentId(await readFile(path)) : 'no file';
}
