import type { ServerEndpoint } from '../endpoint.ts';

/** A certificate that the server sent, or the authority that issued it. All texts are limited and printable. */
export interface ShownCertificate {
  /** Common name, or organisation. */
  readonly name: string;
  readonly issuer: string;
  /** The host names and addresses that it was issued for. */
  readonly hosts: readonly string[];
  /** ms since the epoch */
  readonly validFrom: number;
  /** ms since the epoch */
  readonly validTo: number;
  /** The certificate itself, in base64 without line ends. */
  readonly der: string;
}

/** How far a connection got, and what the server has shown. The cause of a failure is derived from it. */
export interface ConnectionProgress {
  readonly server: ServerEndpoint;
  /**
   * `lookup`: of the host name. `tcp`: no address has answered yet. With a proxy both are about the proxy, and two stages
   * follow: `name`, the lookup of the server's name for the proxy, and `proxy`, until the proxy has opened the way.
   * `open`: MQTT can pass, with TLS encrypted.
   */
  readonly stage: 'lookup' | 'tcp' | 'name' | 'proxy' | 'handshake' | 'open';
  /** The server has answered the TLS handshake, and both sides have keys. */
  readonly keysAgreed: boolean;
  /** The server's certificate first, then its issuers, as far as they are known. */
  readonly chain: readonly ShownCertificate[];
}
