import type { AccessToken } from '../../src/deviceCredentials.ts';
import { Secret } from '../../src/secret.ts';

/** Device credentials that are an access token. */
export const accessToken = (token: string): AccessToken => ({ type: 'ACCESS_TOKEN', token: new Secret(token) });

/** The token of credentials that must be an access token. A Secret has no visible value for `toEqual`. */
export function tokenOf(
  credentials: { readonly type: string; readonly token?: Secret } | undefined,
): string | undefined {
  return credentials?.token?.reveal();
}
