import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';

/** Length and digest of a content: a failed comparison prints no secret and no long text. */
export function contentId(content: string | Uint8Array): string {
  const bytes = Buffer.from(content);
  return `${bytes.length} bytes, ${createHash('sha256').update(bytes).digest('hex')}`;
}

/** contentId of a file's content; `no file` when the path is not a regular file. */
export async function fileContentId(path: string): Promise<string> {
  const isFile = await stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
  return isFile ? contentId(await readFile(path)) : 'no file';
}
