import { hostAndPort, type ServerEndpoint, shownProxy } from '../endpoint.ts';

/** Facts of every connection failure: the server, the file that names it, and the next try. */
export interface ServerFacts {
  /** `host:port`, with the proxy in between. */
  readonly server: string;
  readonly file: string;
  /** The section of that file. */
  readonly section: 'provisioning' | 'thingsboard';
  /** A sentence about the next try. */
  readonly again: string;
}

type Address = Pick<ServerEndpoint, 'host' | 'port' | 'proxy'>;

/** With a proxy its connection may have broken, or the proxy may answer instead of the server. */
const named = (address: Address): string =>
  address.proxy === undefined
    ? hostAndPort(address)
    : `${hostAndPort(address)} (through the proxy ${shownProxy(address.proxy)})`;

/** The server of a provisioning run, also for `doctor`. After a failed run the next boot tries again. */
export const provisioningServer = (address: Address): ServerFacts => ({
  server: named(address),
  file: 'provision.json',
  section: 'provisioning',
  again: 'The next boot tries again.',
});

/** The server of normal operation, where the client always tries again. */
export const operationServer = (address: Address): ServerFacts => ({
  server: named(address),
  file: 'thermal_config.json',
  section: 'thingsboard',
  again: 'The client tries again by itself.',
});
