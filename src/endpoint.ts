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

/** A proxy, and who named it. */
export interface ProxyServer {
  /** `http`: the method CONNECT. `socks5`: this device resolves the server's name; `socks5h`: the proxy does. */
  readonly scheme: 'http' | 'socks5' | 'socks5h';
  readonly host: string;
  readonly port: number;
  /** `user:password`, decoded. */
  readonly login?: Secret;
  /** The URL as it was given, for files. */
  readonly url: Secret;
  /** The setting or the environment variable that names it, for messages. */
  readonly from: string;
}

/** Address of a server, with its TLS settings and the way to it. */
export interface ServerEndpoint {
  readonly host: string;
  readonly port: number;
  readonly useSsl: boolean;
  /** Undefined without TLS. */
  readonly ca?: Authorities | undefined;
  /** With it the server knows the device already in the TLS handshake. */
  readonly clientCertificate?: ClientCertificate | undefined;
  /** Undefined: a direct connection. */
  readonly proxy?: ProxyServer | undefined;
}

/** `host:port` for messages and files; IPv6 addresses are in brackets (RFC 3986, section 3.2.2). */
export const hostAndPort = ({ host, port }: Pick<ServerEndpoint, 'host' | 'port'>): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** The URL of a proxy without user and password. */
export const shownProxy = (proxy: ProxyServer): string => `${proxy.scheme}://${hostAndPort(proxy)}`;

/** Whether the proxy resolves the server's name, so that this device's DNS need not know it. */
export const resolvesNames = ({ scheme }: ProxyServer): boolean => scheme !== 'socks5';

/** Whether two connections take the same way. */
export const isSameProxy = (one: ProxyServer | undefined, other: ProxyServer | undefined): boolean =>
  one === undefined || other === undefined ? one === other : one.url.equals(other.url);
