import { fileFailure } from '../failures/fileFailure.ts';
import { readLimited } from '../files/readLimited.ts';

/** What became of reading one of the agent's own JSON files. */
export type OwnDocument =
  | { readonly kind: 'absent' }
  | { readonly kind: 'document'; readonly json: unknown; readonly uid: number; readonly mode: number }
  | { readonly kind: 'damaged'; readonly why: string }
  | { readonly kind: 'not-permitted'; readonly cause: unknown };

/** Generous for 100 history entries and three candidates. */
const MAX_BYTES = 256 * 1024;

/**
 * Reads a JSON file of the agent's own. Links are not followed: the agent never makes any there. A storage that can't
 * be read says nothing about the file: it must not count as damaged, or the only copy of a token would be set aside.
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
    // The parser's message quotes the text around the error, which may be a secret.
    return { kind: 'damaged', why: 'no valid JSON' };
  }
}

/** The version that a document claims, or undefined when it is none of this format. */
export function versionOf(json: unknown, format: string): number | undefined {
  if (typeof json !== 'object' || json === null || !('format' in json) || !('version' in json)) return undefined;
  if (json.format !== format || typeof json.version !== 'number' || !Number.isInteger(json.version)) return undefined;
  return json.version;
}
