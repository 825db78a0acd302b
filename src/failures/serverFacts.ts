import { hostAndPort, type ServerEndpoint } from '../endpoint.ts';

/** Facts of every connection failure: the server, the file that names it, and the next try. */
export interface ServerFacts {
  /** `host:port` */
  readonly server: string;
  readonly file: string;
  /** The section of that file. */
  readonly section: 'provisioning' | 'thingsboard';
  /** A sentence about the next try. */
  readonly again: string;
}

type Address = Pick<ServerEndpoint, 'host' | 'port'>;

/** The server of a provisioning run, also for `doctor`. After a failed run the next boot tries again. */
export const provisioningServer = (address: Address): ServerFacts => ({
  server: hostAndPort(address),
  file: 'provision.json',
  section: 'provisioning',
  again: 'The next boot tries again.',
});

/** The server of normal operation, where the client always tries again. */
export const operationServer = (address: Address): ServerFacts => ({
  server: hostAndPort(address),
  file: 'thermal_config.json',
  section: 'thingsboard',
  again: 'The client tries again by itself.',
});
