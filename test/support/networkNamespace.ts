import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { AtEnd } from './atEnd.ts';
import { isRoot } from './unprivileged.ts';

/** A link between the test and a namespace for the agent, which has its own routes, hosts and name servers. */
export interface NetworkNamespace {
  /** The command that runs a program in the namespace; the program and its arguments follow. */
  readonly wrapper: readonly [string, ...string[]];
  /** The test's addresses on the link. */
  readonly serverV4: string;
  readonly serverV6: string;
  /** Addresses on the link that drop every packet. */
  readonly deadV4: string;
  readonly deadV6: string;
  /** Writes the hosts file: pairs of address and name, in this order (hosts(5)). */
  setHosts(lines: readonly (readonly [address: string, name: string])[]): void;
  /** Sets the name server. */
  setNameServer(address: string): void;
  /** Turns the link on or off at the agent's side, like a plugged or unplugged cable. */
  link(state: 'up' | 'down'): void;
}

const NOWHERE = '02:00:00:00:00:99';
let count = 0;

const ip = (...args: readonly string[]): void => {
  execFileSync('ip', args, { stdio: 'pipe' });
};

/** Why this machine has no network namespaces; undefined: it has them. */
export function namespaceProblem(): string | undefined {
  if (!isRoot) return 'network namespaces need root';
  const name = `tp-try-${process.pid}`;
  try {
    ip('netns', 'add', name);
    try {
      ip('-n', name, 'link', 'add', 'tptry', 'type', 'veth', 'peer', 'name', 'tptry2');
    } finally {
      ip('netns', 'delete', name);
    }
    return undefined;
  } catch (error) {
    return `no network namespaces here: ${error instanceof Error ? error.message.split('\n')[0] : typeof error}`;
  }
}

/** Makes a namespace, which is removed after the test with all interfaces in it. */
export function makeNamespace(atEnd: AtEnd): NetworkNamespace {
  count += 1;
  const id = `${process.pid % 10_000}-${count}`;
  const name = `tp-${id}`;
  const [outer, inner] = [`tpo${id}`, `tpi${id}`];
  // 198.18.0.0/15 is reserved for network tests (RFC 2544), fd00::/8 for private use (RFC 4193).
  const net = `198.18.${process.pid % 250}.${8 * count}`;
  const host = (last: number): string => net.replace(/\d+$/, (base) => String(Number(base) + last));
  const net6 = `fd00:7e57:${(process.pid % 65_536).toString(16)}:${count}`;
  const etc = `/etc/netns/${name}`;
  mkdirSync(etc, { recursive: true });
  atEnd(() => {
    // This removes the interfaces too.
    execFileSync('ip', ['netns', 'delete', name], { stdio: 'ignore' });
    rmSync(etc, { recursive: true, force: true });
  });
  const inside = (...args: readonly string[]): void => ip('-n', name, ...args);
  const setHosts: NetworkNamespace['setHosts'] = (lines) => {
    writeFileSync(`${etc}/hosts`, lines.map((line) => `${line.join(' ')}\n`).join(''));
  };
  const setNameServer = (address: string): void => {
    writeFileSync(`${etc}/resolv.conf`, `nameserver ${address}\noptions timeout:1 attempts:1\n`);
  };
  setHosts([]);
  setNameServer(host(2));
  ip('netns', 'add', name);
  ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', name);
  ip('address', 'add', `${host(1)}/29`, 'dev', outer);
  ip('address', 'add', `${net6}::1/64`, 'dev', outer, 'nodad');
  ip('link', 'set', outer, 'up');
  inside('link', 'set', 'lo', 'up');
  const configure = (): void => {
    inside('address', 'replace', `${net6}::2/64`, 'dev', inner, 'nodad');
    inside('neighbour', 'replace', host(3), 'lladdr', NOWHERE, 'dev', inner);
    inside('neighbour', 'replace', `${net6}::3`, 'lladdr', NOWHERE, 'dev', inner);
  };
  inside('address', 'add', `${host(2)}/29`, 'dev', inner);
  inside('link', 'set', inner, 'up');
  configure();
  return {
    wrapper: ['ip', 'netns', 'exec', name],
    serverV4: host(1),
    serverV6: `${net6}::1`,
    deadV4: host(3),
    deadV6: `${net6}::3`,
    setHosts,
    setNameServer,
    link(state) {
      inside('link', 'set', inner, state);
      // The kernel removes addresses and neighbours when the link goes down.
      if (state === 'up') configure();
    },
  };
}
