/** The possible states of a disk after a power loss. The agent must survive all of them. */

import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { DiskFile, DiskFolder, DiskNode, EntryChange, FileContent } from './powerLossDisk.ts';

/** The files after the power loss; paths are relative to the device folder. */
export interface LossState {
  readonly files: ReadonlyMap<string, FileContent>;
  readonly folders: ReadonlyMap<string, number>;
}

export interface LossLimits {
  /** Maximum number of outcomes for the pending changes of a folder. */
  readonly outcomes: number;
  /** Maximum number of states of a point. With more, each axis varies alone, from all lost and from all kept. */
  readonly states: number;
  /**
   * Names of files on which nothing depends. Each state has another shape of them (lost, torn or kept), so that all
   * shapes occur without more states.
   */
  readonly notes: ReadonlySet<string>;
}

type Entries = ReadonlyMap<string, DiskNode>;

const EMPTY = Buffer.alloc(0);

function applyChange(entries: Map<string, DiskNode>, change: EntryChange, keepOldName: boolean): void {
  switch (change.kind) {
    case 'add':
      entries.set(change.name, change.node);
      return;
    case 'remove':
      entries.delete(change.name);
      return;
    case 'rename':
      if (!keepOldName) entries.delete(change.from);
      entries.set(change.to, change.node);
  }
}

/** Number of outcomes of a change: lost, kept, and for a rename both names (rename(2), NOTES). */
const choicesOf = (change: EntryChange): number => (change.kind === 'rename' ? 3 : 2);
const LOST = 0;
const BOTH_NAMES = 2;

/** The choices for all changes: every combination, or prefixes and single deviations when there are too many. */
function* selections(changes: readonly EntryChange[], limit: number): Generator<number[]> {
  const total = changes.reduce((product, change) => product * choicesOf(change), 1);
  if (total <= limit) {
    for (let index = 0; index < total; index++) {
      let rest = index;
      yield changes.map((change) => {
        const choice = rest % choicesOf(change);
        rest = Math.floor(rest / choicesOf(change));
        return choice;
      });
    }
    return;
  }
  for (let kept = 0; kept <= changes.length; kept++) yield changes.map((_, index) => (index < kept ? 1 : 0));
  for (let alone = 0; alone < changes.length; alone++) {
    yield changes.map((_, index) => (index === alone ? 1 : 0));
    yield changes.map((_, index) => (index === alone ? 0 : 1));
  }
}

const entriesKey = (entries: Entries): string =>
  [...entries]
    .map(([name, node]) => `${name}:${node.id}`)
    .sort()
    .join('/');

/** The distinct tables of entries of a folder. The first is the durable one, the last the current one. */
function folderOutcomes(folder: DiskFolder, { outcomes: limit, notes }: LossLimits): Entries[] {
  const changes = folder.pending.filter((change) => !concernsNote(change, notes));
  const withoutNotes = (entries: Entries): Map<string, DiskNode> =>
    new Map([...entries].filter(([name]) => !notes.has(name)));
  const durable = withoutNotes(folder.durable);
  const current = withoutNotes(folder.entries);
  const outcomes = new Map<string, Entries>([[entriesKey(durable), durable]]);
  for (const selection of selections(changes, limit)) {
    const entries = new Map(durable);
    for (const [index, change] of changes.entries()) {
      const choice = selection[index] ?? LOST;
      if (choice !== LOST) applyChange(entries, change, choice === BOTH_NAMES);
    }
    outcomes.set(entriesKey(entries), entries);
  }
  outcomes.delete(entriesKey(current));
  outcomes.set(entriesKey(current), current);
  return [...outcomes.values()];
}

const concernsNote = (change: EntryChange, notes: ReadonlySet<string>): boolean =>
  notes.has(change.kind === 'rename' ? change.to : change.name);

/** The possible contents of a note after a power loss; undefined: no file. */
function noteOutcomes(folder: DiskFolder, name: string): (FileContent | undefined)[] {
  const nodes = new Set([folder.durable.get(name), folder.entries.get(name)]);
  return [...nodes].flatMap((node) => {
    if (node === undefined) return [undefined];
    return node.kind === 'file' ? contentOutcomes(node) : [];
  });
}

/** The possible contents of a file: the synced one, a torn one, zeros instead of the data, the current one. */
function contentOutcomes({ current, durable, truncated }: DiskFile): FileContent[] {
  if (current === durable) return [current];
  const appended = current.bytes.subarray(0, durable.bytes.length).equals(durable.bytes);
  const kept = appended ? durable.bytes.length : 0;
  const half = kept + Math.ceil((current.bytes.length - kept) / 2);
  const head = current.bytes.subarray(0, kept);
  const { mode } = current;
  const outcomes = [
    durable,
    ...(truncated ? [{ bytes: EMPTY, mode }] : []),
    { bytes: current.bytes.subarray(0, half), mode },
    // A file's length may reach the disk before its data.
    { bytes: Buffer.concat([head], current.bytes.length), mode },
    { bytes: Buffer.concat([current.bytes.subarray(0, half)], current.bytes.length), mode },
    current,
  ];
  const distinct = new Map(outcomes.map((content) => [contentKey(content), content]));
  return [...distinct.values()];
}

const contentKey = ({ bytes, mode }: FileContent): string =>
  `${mode.toString(8)} ${createHash('sha256').update(bytes).digest('hex')}`;

/** Every combination of one alternative per axis, or each axis alone from both ends when there are too many. */
function* choices(sizes: readonly number[], limit: number): Generator<number[]> {
  const total = sizes.reduce((product, size) => product * size, 1);
  if (total <= limit) {
    for (let index = 0; index < total; index++) {
      let rest = index;
      yield sizes.map((size) => {
        const choice = rest % size;
        rest = Math.floor(rest / size);
        return choice;
      });
    }
    return;
  }
  for (const base of [sizes.map(() => 0), sizes.map((size) => size - 1)]) {
    yield base;
    for (const [axis, size] of sizes.entries()) {
      for (let choice = 0; choice < size; choice++) {
        if (choice !== base[axis]) yield base.map((index, other) => (other === axis ? choice : index));
      }
    }
  }
}

interface Parts {
  readonly folders: readonly DiskFolder[];
  readonly files: readonly DiskFile[];
}

/** All folders and files of any outcome, without notes. */
function partsOf(root: DiskFolder, notes: ReadonlySet<string>): Parts {
  const folders = new Set<DiskFolder>();
  const files = new Set<DiskFile>();
  const visit = (node: DiskNode): void => {
    if (node.kind === 'file') {
      files.add(node);
      return;
    }
    if (folders.has(node)) return;
    folders.add(node);
    for (const [name, child] of [...node.entries, ...node.durable]) if (!notes.has(name)) visit(child);
    for (const change of node.pending) {
      if (change.kind !== 'remove' && !concernsNote(change, notes)) visit(change.node);
    }
  };
  visit(root);
  return { folders: [...folders], files: [...files] };
}

/**
 * The possible states after a power loss at this moment: data without fsync may be lost, torn or replaced by zeros, and
 * entries without fsync may be the old ones. The first state has lost everything, the last one nothing.
 */
export function* lossStates(root: DiskFolder, limits: LossLimits): Generator<LossState> {
  const { folders, files } = partsOf(root, limits.notes);
  const open = folders.filter(({ pending }) => pending.length > 0);
  const dirty = files.filter(({ current, durable }) => current !== durable);
  const outcomes = open.map((folder) => folderOutcomes(folder, limits));
  const contents = dirty.map(contentOutcomes);
  const sizes = [...outcomes, ...contents].map(({ length }) => length);
  let turn = 0;
  for (const choice of choices(sizes, limits.states)) {
    const entriesOf = new Map(open.map((folder, index) => [folder, outcomes[index]?.[choice[index] ?? 0]]));
    const contentOf = new Map(dirty.map((file, index) => [file, contents[index]?.[choice[open.length + index] ?? 0]]));
    yield assemble(root, limits.notes, turn, {
      entriesOf: (folder) => entriesOf.get(folder) ?? folder.entries,
      contentOf: (file) => contentOf.get(file) ?? file.current,
    });
    turn += 1;
  }
}

interface Choice {
  entriesOf(folder: DiskFolder): Entries;
  contentOf(file: DiskFile): FileContent;
}

function assemble(root: DiskFolder, notes: ReadonlySet<string>, turn: number, choice: Choice): LossState {
  const files = new Map<string, FileContent>();
  const folders = new Map<string, number>();
  const visit = (folder: DiskFolder, prefix: string): void => {
    for (const [name, node] of choice.entriesOf(folder)) {
      if (notes.has(name)) continue;
      if (node.kind === 'file') files.set(prefix + name, choice.contentOf(node));
      else {
        folders.set(prefix + name, node.mode);
        visit(node, `${prefix}${name}/`);
      }
    }
    for (const name of notes) {
      const shapes = noteOutcomes(folder, name);
      const shape = shapes[turn % shapes.length];
      if (shape !== undefined) files.set(prefix + name, shape);
    }
  };
  visit(root, '');
  return { files, folders };
}

/** A key that is equal for states with the same content, without notes. */
export function stateKey({ files, folders }: LossState, notes: ReadonlySet<string>): string {
  const lines = [
    ...[...files]
      .filter(([path]) => !notes.has(basename(path)))
      .map(([path, content]) => `${path} ${contentKey(content)}`),
    ...[...folders].map(([path, mode]) => `${path}/ ${mode.toString(8)}`),
  ];
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex');
}
