import { fileFailure } from '../failures/fileFailure.ts';
import { readLimited } from '../files/readLimited.ts';

/** Result of reading one of the agent's own JSON files. */
export type OwnDocument =
  | { readonly kind: 'absent' }
  | { readonly kind: 'document'; readonly json: unknown; readonly uid: number; readonly mode: number }
  | { readonly kind: 'damaged'; readonly why: string }
  | { readonly kind: 'not-permitted'; readonly cause: unknown };

/** Far more than 100 history entries and three candidates need. */
const MAX_BYTES = 256 * 1024;

/**
 * Reads one of the agent's own JSON files. Does not follow links, because the agent never creates links there. A read
 * error does not mean a damaged file: setting it aside could lose the only copy of a token.
 * @throws Failure DISK_ERROR
 */
export async function readOwnDocument(path: string): Promise<OwnDocument> {
  const read = await readLimited(path, MAX_BYTES, false);
  if (!read.ok) {
    if (read.problem === 'absent') return { kind: 'absent' };
    if (read.problem === 'not-permitted') return { kind: 'not-permitted', cause: read.cause };
    if (read.problem === 'unreadable') throw fileFailure(read.cause, `read ${path}`);
    return { kind: 'damaged', why: read.problem };
  }
  try {
    const json: unknown = JSON.parse(read.bytes.toString('utf8'));
    return { kind: 'document', json, uid: read.uid, mode: read.mode };
  } catch {
    // The parser's message is left out: it quotes the text around the error, which may be a secret.
    return { kind: 'damaged', why: 'not valid JSON' };
  }
}

/** The version that a document names. undefined: the document does not have this format. */
export function versionOf(json: unknown, format: string): number | undefined {
  if (typeof json !== 'object' || json === null || !('format' in json) || !('version' in json)) return undefined;
  if (json.format !== format || typeof json.version !== 'number' || !Number.isInteger(json.version)) return undefined;
  return json.version;
}
