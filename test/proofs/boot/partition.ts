import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import type { AtEnd } from '../../support/atEnd.ts';
import { unmount } from './layers.ts';

/** A partition of a card, as a file behind a loop device. */
export interface Partition {
  /** For example `/dev/loop0`. */
  readonly device: string;
  /** Where this machine shows its files. A board mounts it once more. */
  readonly folder: string;
}

/** Whether this machine can make partitions. */
export const hasPartitions =
  existsSync('/dev/loop-control') &&
  ['losetup', 'mkfs.ext4'].every((tool) => spawnSync(tool, ['--version']).error === undefined);
if (!hasPartitions)
  console.log('SKIPPED: boards with a partition for the camera, there are no loop devices or no mkfs.ext4');

const MIB = 1024 * 1024;
const call = promisify(execFile);

/**
 * Makes an empty ext4 partition, which is removed after the test. Make it before the board that uses it.
 * @param size bytes @param on the folder of its file; default: in RAM
 */
export async function makePartition(atEnd: AtEnd, size = 16 * MIB, on = inject('boards')): Promise<Partition> {
  const place = await mkdtemp(join(on, 'card-'));
  const file = join(place, 'card');
  const folder = join(place, 'files');
  await mkdir(folder);
  await writeFile(file, '');
  await truncate(file, size);
  await call('mkfs.ext4', ['-q', '-L', 'camera', file]);
  const { stdout } = await call('losetup', ['--find', '--show', file]);
  const device = stdout.trim();
  atEnd(async () => {
    await call('losetup', ['--detach', device]);
  });
  await call('mount', [device, folder]);
  atEnd(() => unmount(folder));
  return { device, folder };
}

/**
 * The unit that systemd makes from a line of /etc/fstab with the option nofail. In a container systemd ignores such
 * lines, but not the unit.
 */
export function mountUnit(line: string, device: string): string {
  const [, folder, type, options] = line.trim().split(/\s+/);
  return `[Unit]
Before=local-fs.target
[Mount]
What=${device}
Where=${folder}
Type=${type}
Options=${options}
[Install]
WantedBy=local-fs.target
`;
}
