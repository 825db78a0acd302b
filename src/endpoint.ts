import type { Secret } from './secret.ts';

/** The certificate authorities that a TLS connection trusts. */
export interface Authorities {
  /** PEM; undefined: the list that Node was built with. */
  readonly pem?: string | undefined;
  /** Where they come from, for messages. */
  readonly from: string;
  /** Sentences for hints about environment variables that are set but not used. Each begins with a space. */
  readonly unused: string;
}

/** TLS client certificate of a connection, PEM. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: Secret;
}

/** Address of a server, with its TLS settings. */
export interface ServerEndpoint {
  readonly host: string;
  readonly port: number;
  readonly useSsl: boolean;
  /** Undefined without TLS. */
  readonly ca?: Authorities | undefined;
  /** With it the server knows the device already in the TLS handshake. */
  readonly clientCertificate?: ClientCertificate | undefined;
}

/** `host:port` for messages and files; IPv6 addresses are in brackets (RFC 3986, section 3.2.2). */
export const hostAndPort = ({ host, port }: Pick<ServerEndpoint, 'host' | 'port'>): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
