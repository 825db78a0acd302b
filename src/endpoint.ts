import type { ServerEndpoint } from './thingsboard/openStream.ts';

/** `host:port` for messages; an IPv6 address in brackets (RFC 3986, section 3.2.2). */
export const serverName = ({ host, port }: ServerEndpoint): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
