import { createHash } from 'node:crypto';

/** What two processes compare instead of the token itself. */
export const digestOf = (token: string): string => createHash('sha256').update(token).digest('base64');
