import { existsSync } from 'node:fs';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Limits {
  /** MiB for the processes and for the pages of files that they are the first to read. */
  readonly memory: number;
  /** Share of one core. */
  readonly cpu: number;
}

/** A control group whose processes get little memory and little time. */
export interface LimitedGroup {
  /** A process joins by writing its identifier to `cgroup.procs` in each folder. */
  readonly folders: readonly string[];
  /** Time that all its processes have used. */
  cpuMs(): Promise<number>;
  remove(): Promise<void>;
}

type Files = Readonly<Record<string, string>>;

const MOUNT = '/sys/fs/cgroup';
const PERIOD_US = 100_000;

/** The folders of a new group, with the limits. The kernel has two interfaces; there is no swap in either. */
async function plan(name: string, { memory, cpu }: Limits): Promise<readonly (readonly [string, Files])[]> {
  const [bytes, quota] = [`${memory}M`, String(Math.round(cpu * PERIOD_US))];
  if (existsSync(join(MOUNT, 'cgroup.controllers'))) {
    await writeFile(join(MOUNT, 'cgroup.subtree_control'), '+memory +cpu');
    const files = { 'memory.max': bytes, 'memory.swap.max': '0', 'cpu.max': `${quota} ${PERIOD_US}` };
    return [[join(MOUNT, name), files]];
  }
  const own = await readFile('/proc/self/cgroup', 'utf8');
  const folder = (controller: string): string =>
    join(
      MOUNT,
      controller,
      new RegExp(`^\\d+:(?:\\S+,)?${controller}(?:,\\S+)?:(.*)$`, 'm').exec(own)?.[1] ?? '/',
      name,
    );
  return [
    [folder('memory'), { 'memory.limit_in_bytes': bytes, 'memory.memsw.limit_in_bytes': bytes }],
    [folder('cpu'), { 'cpu.cfs_period_us': String(PERIOD_US), 'cpu.cfs_quota_us': quota }],
    [folder('cpuacct'), {}],
  ];
}

/** @throws where this process may not make such groups, for example in many containers */
export async function makeLimitedGroup(name: string, limits: Limits): Promise<LimitedGroup> {
  const planned = await plan(name, limits);
  const folders = planned.map(([folder]) => folder);
  for (const [folder, files] of planned) {
    await mkdir(folder, { recursive: true });
    for (const [file, value] of Object.entries(files)) await writeFile(join(folder, file), value);
  }
  const used = join(folders.at(-1) ?? '', folders.length === 1 ? 'cpu.stat' : 'cpuacct.usage');
  return {
    folders,
    cpuMs: async () => {
      const text = await readFile(used, 'utf8');
      return folders.length === 1 ? Number(/^usage_usec (\d+)/m.exec(text)?.[1]) / 1e3 : Number(text) / 1e6;
    },
    remove: async () => {
      for (const folder of folders) await rmdir(folder).catch(() => {});
    },
  };
}
