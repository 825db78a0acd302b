import { hostAndPort, type ServerEndpoint } from '../endpoint.ts';

/** What every failure of a connection knows: the server, the file that names it, and who tries again. */
export interface ServerFacts {
  /** `host:port` */
  readonly server: string;
  readonly file: string;
  /** The section of that file. */
  readonly section: 'provisioning' | 'thingsboard';
  /** A sentence. */
  readonly again: string;
}

type Address = Pick<ServerEndpoint, 'host' | 'port'>;

/** The server of a provisioning run, also for `doctor`. A run that gives up leaves the next try to the next boot. */
export const provisioningServer = (address: Address): ServerFacts => ({
  server: hostAndPort(address),
  file: 'provision.json',
  section: 'provisioning',
  again: 'The next boot tries again.',
});

/** The server of normal operation, which never gives up. */
export const operationServer = (address: Address): ServerFacts => ({
  server: hostAndPort(address),
  file: 'thermal_config.json',
  section: 'thingsboard',
  again: 'The client tries again by itself.',
});
