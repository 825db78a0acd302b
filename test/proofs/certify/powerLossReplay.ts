/** Applies the calls of a trace to the model of the disk. */

import { basename, dirname, relative } from 'node:path';
import {
  addFile,
  addFolder,
  changeMode,
  type DiskFile,
  type DiskFolder,
  type DiskNode,
  removeEntry,
  renameEntry,
  syncNode,
  truncateFile,
  writeFileAt,
} from './powerLossDisk.ts';
import type { SystemCall } from './powerLossTrace.ts';

/** An open file or folder below the device folder. */
interface Opened {
  readonly node: DiskNode;
  readonly append: boolean;
  position: number;
}

export interface Replay {
  /** @returns whether the disk or its durable part has changed */
  apply(call: SystemCall): boolean;
  /** Whether a descriptor belongs to a file of the device. */
  isOpen(descriptor: number | undefined): boolean;
}

/** The traced agent inherits this umask. */
const UMASK = process.umask();
const OPENING = new Set(['open', 'openat', 'openat2', 'creat']);
const HARMLESS = new Set(['read', 'readv', 'recvfrom', 'recvmsg', 'fcntl', 'sendto', 'sendmsg']);

/**
 * @param folder real path of the traced run's device folder
 * @param root model of that folder before the run
 */
export function replayOn(folder: string, root: DiskFolder): Replay {
  const opened = new Map<number, Opened>();

  const isInside = (path: string): boolean => path === folder || path.startsWith(`${folder}/`);
  const pathsOf = (call: SystemCall): string[] => {
    const paths = call.strings.map((bytes) => bytes.toString('utf8'));
    const foreign = paths.find((path) => !path.startsWith('/'));
    // The agent uses absolute paths only: with a relative path the model can't know whether it is a file of the device.
    if (foreign !== undefined && !READS_RELATIVE.test(call.args)) throw new Error(`${call.name} of a relative path`);
    return paths;
  };
  const nodeAt = (path: string): DiskNode | undefined => {
    let node: DiskNode | undefined = root;
    for (const name of relative(folder, path).split('/').filter(Boolean)) {
      node = node?.kind === 'folder' ? node.entries.get(name) : undefined;
    }
    return node;
  };
  const folderOf = (path: string): DiskFolder => {
    const node = nodeAt(dirname(path));
    if (node?.kind !== 'folder') throw new Error(`${path} is not in a folder that the model knows`);
    return node;
  };
  const fileOf = (call: SystemCall): DiskFile => {
    const node = call.descriptor === undefined ? undefined : opened.get(call.descriptor)?.node;
    if (node?.kind !== 'file') throw new Error(`${call.name} of something that is not a file`);
    return node;
  };

  function open(call: SystemCall, result: number): boolean {
    const [path] = pathsOf(call);
    opened.delete(result);
    if (path === undefined || !isInside(path)) return false;
    const has = (flag: string): boolean => call.args.includes(flag);
    let node = nodeAt(path);
    let changed = false;
    if (node === undefined) {
      if (!has('O_CREAT')) throw new Error(`${path} was opened, but the model does not know this file`);
      node = addFile(folderOf(path), basename(path), modeIn(call.args) & ~UMASK);
      changed = true;
    } else if (has('O_TRUNC') && node.kind === 'file') {
      truncateFile(node);
      changed = true;
    }
    opened.set(result, { node, append: has('O_APPEND'), position: 0 });
    return changed;
  }

  function write(call: SystemCall, length: number): boolean {
    const file = fileOf(call);
    const state = call.descriptor === undefined ? undefined : opened.get(call.descriptor);
    if (state === undefined || call.name === 'pwritev2') throw new Error(`${call.name} is unknown to the model`);
    const bytes = Buffer.concat(call.strings).subarray(0, length);
    if (call.name === 'pwrite64' || call.name === 'pwritev') {
      writeFileAt(file, bytes, Number(/, (\d+)$/.exec(call.args)?.[1]));
    } else if (state.append) writeFileAt(file, bytes);
    else {
      writeFileAt(file, bytes, state.position);
      state.position += bytes.length;
    }
    return true;
  }

  /** Copies within the kernel: `copy_file_range(in, NULL, out, NULL, …)`, `sendfile(out, in, …)`. */
  function copy(call: SystemCall, length: number): boolean {
    const [first, second] = [...call.args.matchAll(/(?:^|, )(\d+)</g)].map(([, digits]) => opened.get(Number(digits)));
    const [from, to] = call.name === 'sendfile' ? [second, first] : [first, second];
    if (to === undefined) return false;
    if (from?.node.kind !== 'file' || to.node.kind !== 'file') throw new Error(`${call.name} is unknown to the model`);
    const bytes = from.node.current.bytes.subarray(from.position, from.position + length);
    writeFileAt(to.node, bytes, to.position);
    from.position += length;
    to.position += length;
    return length > 0;
  }

  function onPaths(call: SystemCall): boolean {
    const [path = '', target = ''] = pathsOf(call);
    if (!isInside(path) && !isInside(target)) return false;
    switch (call.name) {
      case 'rename':
      case 'renameat':
      case 'renameat2':
        if (dirname(path) !== dirname(target)) throw new Error('a rename between folders is unknown to the model');
        renameEntry(folderOf(path), basename(path), basename(target));
        return path !== target;
      case 'unlink':
      case 'unlinkat':
        removeEntry(folderOf(path), basename(path));
        return true;
      case 'mkdir':
      case 'mkdirat':
        addFolder(folderOf(path), basename(path), modeIn(call.args) & ~UMASK);
        return true;
      default:
        throw new Error(`${call.name} is unknown to the model`);
    }
  }

  function onDescriptor(call: SystemCall, result: number): boolean {
    const state = call.descriptor === undefined ? undefined : opened.get(call.descriptor);
    switch (call.name) {
      case 'close':
        if (call.descriptor !== undefined) opened.delete(call.descriptor);
        return false;
      case 'copy_file_range':
      case 'sendfile':
        return copy(call, result);
      default:
        if (state === undefined || HARMLESS.has(call.name)) return false;
    }
    switch (call.name) {
      case 'write':
      case 'writev':
      case 'pwrite64':
      case 'pwritev':
        return write(call, result);
      case 'ftruncate':
        if (!/, 0$/.test(call.args)) throw new Error('ftruncate to a length above 0 is unknown to the model');
        truncateFile(fileOf(call));
        return true;
      case 'fchmod':
        changeMode(fileOf(call), modeIn(call.args));
        return true;
      case 'fsync':
      case 'fdatasync':
        syncNode(state.node);
        return true;
      default:
        throw new Error(`${call.name} is unknown to the model`);
    }
  }

  return {
    apply(call) {
      // An injected success of fsync does nothing.
      if (call.result === undefined || call.result < 0 || call.injected) return false;
      if (OPENING.has(call.name)) return open(call, call.result);
      return call.descriptor === undefined && call.strings.length > 0 ? onPaths(call) : onDescriptor(call, call.result);
    },
    isOpen: (descriptor) => descriptor !== undefined && opened.has(descriptor),
  };
}

/** Node opens its modules and the time zone by relative names, for reading only. */
const READS_RELATIVE = /O_RDONLY/;

function modeIn(args: string): number {
  const mode = /, (0\d+)$/.exec(args)?.[1];
  if (mode === undefined) throw new Error('the call has no mode');
  return Number.parseInt(mode, 8);
}
