import { execFile, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, inject, it } from 'vitest';
import { devicePaths } from '../../../src/device/paths.ts';
import { issueAuthority, issueCertificate } from '../../../src/simulator/certificate.ts';
import type { SimulatorOptions } from '../../../src/simulator/simulator.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { OLD_CONFIG } from '../../support/deviceFiles.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { startServer } from '../../support/server.ts';
import { mountLayers, unmount } from './layers.ts';
import { makeLimitedGroup } from './limitedGroup.ts';
import { hasPartitions, makePartition, type Partition } from './partition.ts';
import { requestText } from './requests.ts';

/** What the other programs of a small board leave to the agent: MiB, and the share of one core. */
const LIMITS = { memory: Number(process.env.SMALL_BOARD_MEMORY ?? 64), cpu: 0.1 };
const FSYNC_MS = 50;
/** SC-001 */
const MAX_SECONDS = 30;
const RUNS = Number(process.env.SMALL_BOARD_RUNS ?? 1);

const CARD_BYTES = 1024 ** 3;
const FOLDER = '/var/lib/thermal-camera';
const call = promisify(execFile);

/** Why there can be no small board here; undefined: there can be one. */
async function obstacle(): Promise<string | undefined> {
  if (!hasPartitions) return 'there can be no card';
  if (spawnSync('strace', ['--version']).error !== undefined) return 'strace is not installed';
  try {
    await (await makeLimitedGroup(`thermal-small-${randomUUID()}`, LIMITS)).remove();
    return undefined;
  } catch (error) {
    return `no limits can be set (${String(error)})`;
  }
}
const why = await obstacle();
if (why !== undefined) console.log(`SKIPPED: a small board, ${why}`);

/** A card with the whole system. Unlike many disks it reads ahead only 128 KiB, so that memory holds what is needed. */
async function makeCard(atEnd: AtEnd): Promise<Partition> {
  const card = await makePartition(atEnd, CARD_BYTES, dirname(inject('boards')));
  const { root } = await mountLayers(join(inject('boards'), `card-${randomUUID()}`), inject('layers'));
  await call('cp', ['-a', `${root}/.`, card.folder]);
  await unmount(root);
  const { SMALL_BOARD_NODE: node } = process.env;
  if (node !== undefined) await copyFile(node, join(card.folder, 'usr/bin/node'));
  return card;
}

/** Nothing of the card is in memory afterwards, as after a boot. */
async function insertAnew({ device, folder }: Partition): Promise<void> {
  await unmount(folder);
  await call('mount', ['-o', 'noatime', device, folder]);
}

/** As a service manager, receives what systemd-notify sends. */
const LISTEN = `my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die;
chmod 0777, $ARGV[0];
$| = 1;
print "ready\\n";
1 while defined $socket->recv(my $status, 65536);`;

/** Joins the group, then starts the program as the agent's unit does, with the card as root. */
const START = `for group in $GROUPS; do echo $$ >"$group/cgroup.procs"; done
mount --bind /dev "$CARD/dev"; mount -t proc proc "$CARD/proc"
exec chroot --userspec=thermal:thermal "$CARD" thermal-provision "$@"`;

interface Use {
  readonly status: number | null;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly output: string;
}

/** Runs a command of the agent on a small board. */
async function onSmallBoard(card: Partition, ...args: readonly string[]): Promise<Use> {
  await insertAnew(card);
  const socket = join(card.folder, 'run/notify');
  await rm(socket, { force: true });
  const listener = spawn('perl', ['-MIO::Socket::UNIX', '-e', LISTEN, socket], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(listener.stdout, 'data');
  const group = await makeLimitedGroup(`thermal-small-${randomUUID()}`, LIMITS);
  const slow = ['-e', `inject=fsync,fdatasync:delay_exit=${FSYNC_MS * 1000}`];
  const strace = ['-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync', ...slow];
  const startedAt = performance.now();
  const child = spawn('strace', [...strace, 'unshare', '--mount', 'sh', '-euc', START, 'sh', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 2 * MAX_SECONDS * 1000,
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      GROUPS: group.folders.join(' '),
      CARD: card.folder,
      THERMAL_DIR: FOLDER,
      NOTIFY_SOCKET: '/run/notify',
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  }
  await once(child, 'close');
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuSeconds = (await group.cpuMs()) / 1000;
  await group.remove();
  listener.kill();
  await once(listener, 'close');
  return { status: child.exitCode, seconds, cpuSeconds, output };
}

const median = (values: readonly number[]): string =>
  (values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN).toFixed(1);

const figures = (what: string, uses: readonly Use[]): string =>
  `${what}: ${median(uses.map(({ seconds }) => seconds))} s, ${median(uses.map(({ cpuSeconds }) => cpuSeconds))} s of CPU`;

const ca = await issueAuthority();
const TLS: SimulatorOptions = { tls: await issueCertificate({ ips: ['127.0.0.1'], ca }) };

describe.skipIf(why !== undefined)('a small board with a slow card', () => {
  it.for([
    { over: 'TCP', options: {}, provisioning: {} },
    { over: 'TLS', options: TLS, provisioning: { use_ssl: true, ca_file: 'ca.pem' } },
  ])('is provisioned over $over in 30 s, and shows its status', async ({ over, options, provisioning }, context) => {
    const { expect, onTestFinished } = context;
    const server = await startServer(onTestFinished, options);
    const card = await makeCard(onTestFinished);
    const paths = devicePaths(join(card.folder, FOLDER));
    const [runs, statuses]: [Use[], Use[]] = [[], []];
    for (let devices = 1; devices <= RUNS; devices += 1) {
      await rm(paths.deviceFolder, { recursive: true });
      await mkdir(paths.deviceFolder, { mode: 0o750 });
      await writeFile(join(paths.deviceFolder, 'ca.pem'), ca.cert);
      await writeFile(paths.thermalConfig, OLD_CONFIG);
      await writeFile(paths.provisionJson, requestText(server.port, { ...provisioning, timeout_seconds: 30 }));
      await writeFile(paths.provisionTxt, '');
      await call('chroot', [card.folder, 'chown', '-R', 'thermal:thermal', FOLDER]);
      const run = await onSmallBoard(card, 'run');
      expect(run.status, run.output).toBe(0);
      expect(await provisionedProblems(paths, server, devices)).toEqual([]);
      const status = await onSmallBoard(card, 'status');
      expect(status.output).toMatch(/^status: done$/m);
      runs.push(run);
      statuses.push(status);
    }
    console.log(`${LIMITS.memory} MiB, ${over}: ${figures('run', runs)}; ${figures('status', statuses)}`);
    for (const { seconds } of [...runs, ...statuses]) expect(seconds).toBeLessThan(MAX_SECONDS);
  });
});
