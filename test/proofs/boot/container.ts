import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A booted system in a container. */
export interface Container {
  /** Runs a command inside. @returns its standard output @throws when it fails or takes longer than its limit */
  run(command: readonly string[]): Promise<string>;
  /** Acts like a power failure: every process is killed at once, without a notice. */
  cutPower(): Promise<void>;
}

const BOOT_LIMIT_MS = 30_000;
const END_LIMIT_MS = 15_000;
const COMMAND_LIMIT_MS = 30_000;
const POLL_MS = 20;
const MAX_CONSOLE = 64 * 1024;
const ANSWERS = /^(initializing|starting|running|degraded|maintenance|stopping)$/m;

/** The control groups of a container: each container needs its own for the units of its systemd. */
async function cgroupFolders(name: string): Promise<readonly string[]> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
  const own = (await readFile('/proc/self/cgroup', 'utf8')).split('\n').map((line) => line.split(':'));
  const places = [
    {
      controllers: 'name=systemd',
      mount: mounts.find(([, , type, how]) => type === 'cgroup' && how?.includes('name=systemd')),
    },
    { controllers: '', mount: mounts.find(([, , type]) => type === 'cgroup2') },
  ];
  return places.flatMap(({ controllers, mount }) => {
    const [, , path] = own.find(([, given]) => given === controllers) ?? [];
    return mount?.[1] === undefined || path === undefined ? [] : [join(mount[1], path, `thermal-boot-${name}`)];
  });
}

/** Removes a control group. The kernel requires that its subfolders are removed first. */
async function removeCgroup(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeCgroup(join(folder, entry.name));
  await rmdir(folder).catch(() => {});
}

const statusField = (pid: string, field: string): string =>
  new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';

/** The first process of the container. */
function firstProcess(parent: number): number | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const isFirst =
        statusField(pid, 'PPid') === String(parent) && statusField(pid, 'NSpid').split(/\s+/).at(-1) === '1';
      if (isFirst && statusField(pid, 'NSpid').includes('\t')) return Number(pid);
    } catch {
      // The process has ended in the meantime.
    }
  }
  return undefined;
}

const START = `for folder in $CGROUPS; do echo $$ > "$folder/cgroup.procs"; done
exec systemd-nspawn --quiet --register=no --keep-unit --console=pipe --boot --machine="$NAME" --directory="$ROOT" "$@"`;

/**
 * Boots the system in a folder, and waits until its systemd answers. The container shares the network with the tests.
 * @param name unique name of the container
 * @param more further options of systemd-nspawn
 * @throws with the console's output when the system does not boot in time
 */
export async function startContainer(name: string, root: string, more: readonly string[] = []): Promise<Container> {
  const cgroups = await cgroupFolders(name);
  for (const folder of cgroups) await mkdir(folder, { recursive: true });
  const child = spawn('sh', ['-ec', START, 'sh', ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, NAME: name, ROOT: root, CGROUPS: cgroups.join(' ') },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-MAX_CONSOLE);
    });
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const end = async (first?: number): Promise<void> => {
    await stop(child, ended, first);
    for (const folder of cgroups) await removeCgroup(folder);
  };
  try {
    const first = await whenBooted(child);
    return { run: (command) => runInside(first, command), cutPower: () => end(first) };
  } catch (error) {
    await end();
    throw new Error(`${name} did not boot: ${error instanceof Error ? error.message : 'error'}\n${output}`);
  }
}

const isOver = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

async function whenBooted(child: ChildProcess): Promise<number> {
  const deadline = performance.now() + BOOT_LIMIT_MS;
  while (performance.now() < deadline && !isOver(child)) {
    const first = firstProcess(child.pid ?? 0);
    if (first !== undefined && ANSWERS.test(await systemState(first))) return first;
    await pause(POLL_MS);
  }
  throw new Error(isOver(child) ? `systemd-nspawn ended with ${child.exitCode}` : 'its systemd does not answer');
}

/** `systemctl is-system-running` fails for all states except `running`, and prints the state. */
const systemState = (first: number): Promise<string> =>
  runInside(first, ['sh', '-c', 'systemctl is-system-running 2>/dev/null || true']).catch(() => '');

async function runInside(first: number, [file = '', ...args]: readonly string[]): Promise<string> {
  const enter = ['--target', String(first), '--all', '--', file, ...args];
  const { stdout } = await promisify(execFile)('nsenter', enter, {
    timeout: COMMAND_LIMIT_MS,
    maxBuffer: 16 * 1024 * 1024,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' },
  });
  return stdout;
}

/** The kernel ends every process of a container when its first one ends. */
async function stop(child: ChildProcess, ended: Promise<void>, known?: number): Promise<void> {
  const deadline = performance.now() + END_LIMIT_MS;
  while (!isOver(child)) {
    const first = known ?? firstProcess(child.pid ?? 0);
    if (first !== undefined) killIfThere(first);
    else child.kill('SIGKILL');
    await Promise.race([ended, pause(POLL_MS * 10)]);
    if (performance.now() > deadline) throw new Error('the container does not end');
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has ended by itself.
  }
}
