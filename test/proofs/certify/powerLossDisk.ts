/**
 * A model of a file system for power losses: the content that programs read now, and the content that is durable. A
 * file's data becomes durable by fsync of the file, its name by fsync of its folder (fsync(2), "Calling fsync() does
 * not necessarily ensure that the entry in the directory containing the file has also reached disk").
 */

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface FileContent {
  readonly bytes: Buffer;
  /** Permission bits. */
  readonly mode: number;
}

export interface DiskFile {
  readonly kind: 'file';
  readonly id: number;
  current: FileContent;
  durable: FileContent;
  /** Whether the file was truncated since its last fsync: after a power loss it may be empty. */
  truncated: boolean;
}

export interface DiskFolder {
  readonly kind: 'folder';
  readonly id: number;
  readonly mode: number;
  readonly entries: Map<string, DiskNode>;
  durable: ReadonlyMap<string, DiskNode>;
  /** Changes of the entries since the folder's last fsync. */
  pending: EntryChange[];
}

export type DiskNode = DiskFile | DiskFolder;

/** A change of a folder's entries, like a journal record of a file system. */
export type EntryChange =
  | { readonly kind: 'add'; readonly name: string; readonly node: DiskNode }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly node: DiskNode }
  | { readonly kind: 'remove'; readonly name: string };

let lastId = 0;
const nextId = (): number => {
  lastId += 1;
  return lastId;
};

const EMPTY = Buffer.alloc(0);

/**
 * Reads a real folder with its content, all durable. A killed agent leaves its socket, which no power loss brings back.
 * @throws for links and other special files
 */
export async function loadFolder(path: string): Promise<DiskFolder> {
  const entries = new Map<string, DiskNode>();
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) entries.set(entry.name, await loadFolder(child));
    else if (entry.isSocket()) continue;
    else if (entry.isFile()) entries.set(entry.name, await loadFile(child));
    else throw new Error(`${child} is neither a file nor a folder: the model can't represent it`);
  }
  const { mode } = await stat(path);
  return { kind: 'folder', id: nextId(), mode: mode & 0o7777, entries, durable: new Map(entries), pending: [] };
}

async function loadFile(path: string): Promise<DiskFile> {
  const content = { bytes: await readFile(path), mode: (await stat(path)).mode & 0o7777 };
  return { kind: 'file', id: nextId(), current: content, durable: content, truncated: false };
}

const newFile = (mode: number): DiskFile => {
  const content = { bytes: EMPTY, mode };
  return { kind: 'file', id: nextId(), current: content, durable: content, truncated: false };
};

const newFolder = (mode: number): DiskFolder => ({
  kind: 'folder',
  id: nextId(),
  mode,
  entries: new Map(),
  durable: new Map(),
  pending: [],
});

function add(folder: DiskFolder, name: string, node: DiskNode): void {
  folder.entries.set(name, node);
  folder.pending.push({ kind: 'add', name, node });
}

export function addFile(folder: DiskFolder, name: string, mode: number): DiskFile {
  const file = newFile(mode);
  add(folder, name, file);
  return file;
}

export const addFolder = (folder: DiskFolder, name: string, mode: number): void => add(folder, name, newFolder(mode));

/** @throws when the name does not exist: the model has missed a call */
export function renameEntry(folder: DiskFolder, from: string, to: string): void {
  const node = folder.entries.get(from);
  if (node === undefined) throw new Error(`${from} was renamed, but the model does not know this name`);
  // Renaming a file to itself does nothing (rename(2)).
  if (from === to) return;
  folder.entries.delete(from);
  folder.entries.set(to, node);
  folder.pending.push({ kind: 'rename', from, to, node });
}

export function removeEntry(folder: DiskFolder, name: string): void {
  if (!folder.entries.delete(name)) throw new Error(`${name} was removed, but the model does not know this name`);
  folder.pending.push({ kind: 'remove', name });
}

export function truncateFile(file: DiskFile): void {
  file.truncated ||= file.current.bytes.length > 0;
  file.current = { ...file.current, bytes: EMPTY };
}

/** @param offset undefined: the end of the file */
export function writeFileAt(file: DiskFile, written: Buffer, offset = file.current.bytes.length): void {
  const before = file.current.bytes;
  const bytes = Buffer.alloc(Math.max(before.length, offset + written.length));
  before.copy(bytes);
  written.copy(bytes, offset);
  file.current = { ...file.current, bytes };
}

export function changeMode(file: DiskFile, mode: number): void {
  file.current = { ...file.current, mode };
}

/** Models fsync(2). */
export function syncNode(node: DiskNode): void {
  if (node.kind === 'file') {
    node.durable = node.current;
    node.truncated = false;
    return;
  }
  node.durable = new Map(node.entries);
  node.pending = [];
}

/** The current content of every file below a folder, by relative path. */
export function currentFiles(folder: DiskFolder, prefix = ''): Map<string, FileContent> {
  const files = new Map<string, FileContent>();
  for (const [name, node] of folder.entries) {
    if (node.kind === 'file') files.set(prefix + name, node.current);
    else for (const [path, content] of currentFiles(node, `${prefix}${name}/`)) files.set(path, content);
  }
  return files;
}

/** The mode of every folder below a folder, by relative path. */
export function currentFolders(folder: DiskFolder, prefix = ''): Map<string, number> {
  const folders = new Map<string, number>();
  for (const [name, node] of folder.entries) {
    if (node.kind === 'file') continue;
    folders.set(prefix + name, node.mode);
    for (const [path, mode] of currentFolders(node, `${prefix}${name}/`)) folders.set(path, mode);
  }
  return folders;
}

/** A copy of a disk with its pending changes, for an alternative continuation. */
export function copyDisk(root: DiskFolder): DiskFolder {
  const copies = new Map<DiskNode, DiskNode>();
  const copyEntries = (entries: ReadonlyMap<string, DiskNode>): Map<string, DiskNode> =>
    new Map([...entries].map(([name, node]) => [name, copyNode(node)]));
  const copyChange = (change: EntryChange): EntryChange =>
    change.kind === 'remove' ? change : { ...change, node: copyNode(change.node) };
  const copyFolder = (folder: DiskFolder): DiskFolder => {
    const copy = { ...newFolder(folder.mode), entries: copyEntries(folder.entries) };
    copy.durable = copyEntries(folder.durable);
    copy.pending = folder.pending.map(copyChange);
    return copy;
  };
  const copyNode = (node: DiskNode): DiskNode => {
    const known = copies.get(node);
    if (known !== undefined) return known;
    const copy = node.kind === 'file' ? { ...node, id: nextId() } : copyFolder(node);
    copies.set(node, copy);
    return copy;
  };
  return copyFolder(root);
}
