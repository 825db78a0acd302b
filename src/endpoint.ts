/** Address of a server, with its TLS settings. */
export interface ServerEndpoint {
  readonly host: string;
  readonly port: number;
  readonly useSsl: boolean;
  /** Content of the CA file (PEM); undefined: the system's certificate authorities. */
  readonly ca?: string | undefined;
}

/** `host:port` for messages and files; IPv6 addresses are in brackets (RFC 3986, section 3.2.2). */
export const hostAndPort = ({ host, port }: Pick<ServerEndpoint, 'host' | 'port'>): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
