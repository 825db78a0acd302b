import { readLimited } from './readLimited.ts';

/** One mount that this process sees (proc(5), mountinfo). */
export interface Mount {
  readonly mountPoint: string;
  /** For example `ext4`, `tmpfs`, `overlay`. */
  readonly fileSystem: string;
  /** What is mounted, for example `/dev/mmcblk0p2`. For `tmpfs` and `overlay` it can be any word. */
  readonly source: string;
  /** Device number of the file system, `major:minor`. File systems without a block device have major 0. */
  readonly device: string;
  readonly options: readonly string[];
  /** Options of the file system, for example `upperdir=/run/upper`. */
  readonly superOptions: readonly string[];
}

/** Room for several thousand mounts. A host of many containers has that many. */
const MAX_TABLE_BYTES = 4 * 1024 * 1024;

/** Spaces, commas and other special characters are octal in the table: `\040`. */
const decoded = (text: string): string =>
  text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

const bytesOf = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8');

interface Row extends Mount {
  readonly id: string;
  readonly parent: string;
}

function rowOf(line: string): Row | undefined {
  const text = (field: string): string => bytesOf(decoded(field));
  const list = (field: string): string[] => field.split(',').map(text);
  const fields = line.split(' ');
  // Optional fields precede the hyphen.
  const hyphen = fields.indexOf('-', 6);
  const [id = '', parent = '', device = '', , mountPoint = '', options = ''] = fields;
  const [fileSystem = '', source = '', superOptions] = fields.slice(hyphen + 1);
  if (hyphen === -1 || superOptions === undefined) return undefined;
  return {
    id,
    parent,
    device,
    mountPoint: text(mountPoint),
    options: list(options),
    fileSystem,
    source: text(source),
    superOptions: list(superOptions),
  };
}

/**
 * Parses the text of mountinfo. A mount comes after all mounts that it hides: the kernel's own order does not say so
 * after a switch of the root or a moved mount.
 * @param text the bytes of the file as latin1, because paths may be in any encoding
 */
export function parseMountTable(text: string): readonly Mount[] {
  const rows = text.split('\n').flatMap((line) => rowOf(line) ?? []);
  const ids = new Set(rows.map(({ id }) => id));
  const below = new Map<string, Row[]>();
  for (const row of rows) {
    // The root's own parent is outside of what this process sees.
    const parent = ids.has(row.parent) && row.parent !== row.id ? row.parent : '';
    const siblings = below.get(parent);
    if (siblings === undefined) below.set(parent, [row]);
    else siblings.push(row);
  }
  // Of two mounts on one parent, the one with the shorter mount point hides the other.
  const lastFirst = (parent: string): Row[] =>
    (below.get(parent) ?? []).toSorted((one, other) => one.mountPoint.length - other.mountPoint.length);
  const ordered: Mount[] = [];
  const waiting = lastFirst('');
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    const { id, parent: _, ...mount } = row;
    ordered.push(mount);
    waiting.push(...lastFirst(id));
  }
  return ordered;
}

/**
 * Reads the mounts that this process sees.
 * @returns null where there is no /proc, or where the table is longer than 4 MiB
 */
export async function readMountTable(path = '/proc/self/mountinfo'): Promise<readonly Mount[] | null> {
  const read = await readLimited(path, MAX_TABLE_BYTES);
  if (!read.ok) return null;
  const table = parseMountTable(read.bytes.toString('latin1'));
  return table.length === 0 ? null : table;
}

const holds = ({ mountPoint }: Mount, path: string): boolean =>
  path === mountPoint || path.startsWith(mountPoint.endsWith('/') ? mountPoint : `${mountPoint}/`);

/**
 * The mount that holds a path: the last one in the table, which lies over all others.
 * @param path an absolute path without symbolic links
 * @param table as `readMountTable` returns it
 */
export const mountOf = (path: string, table: readonly Mount[]): Mount | undefined =>
  table.findLast((mount) => holds(mount, path));

/** Whether a file or folder is itself a mount point. @param path an absolute path without symbolic links */
export const isMountPoint = (path: string, table: readonly Mount[]): boolean =>
  mountOf(path, table)?.mountPoint === path;
