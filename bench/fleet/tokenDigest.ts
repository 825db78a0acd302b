import { createHash } from 'node:crypto';

/** Digest for comparing tokens between processes, without sending the token. */
export const digestOf = (token: string): string => createHash('sha256').update(token).digest('base64');
