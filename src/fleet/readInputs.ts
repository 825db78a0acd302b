import type { Stats } from 'node:fs';
import { type FileHandle, open, opendir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { TextDecoder } from 'node:util';
import { errnoOf } from '../failures/fileFailure.ts';
import { timeOf } from './camera.ts';
import { isDeviceFolder, readDeviceFolder } from './deviceFolder.ts';
import type { FleetCount, Found } from './fleet.ts';
import { type Fault, findJsonObjects, MAX_OBJECT_BYTES } from './jsonObjects.ts';
import { readStatusDocument } from './statusDocument.ts';

/** The most names that are read in a folder. */
const MAX_ENTRIES = 100_000;
const MAX_INPUT_BYTES = 8 * 1024 ** 3;
const MAX_CHUNK_BYTES = 256 * 1024;
/** Entries of a folder that are read at the same time: a file is mostly waiting. */
const AT_ONCE = 8;
/** Names of files that a collection of documents has. A folder may also hold other files. */
const JSON_NAME = /\.(?:json|jsonl|ndjson)$/i;

const STANDARD_INPUT = 'standard input';

const FAULTS: Readonly<Record<Fault, string>> = {
  'cut off': 'the document is cut off',
  'not JSON': 'not JSON',
  'too large': `the document has more than ${MAX_OBJECT_BYTES} bytes`,
};

/** Where documents come from. */
interface Origin {
  readonly source: string;
  /** Name in its folder; undefined: named by the operator. */
  readonly entry?: string;
}

/** Whether a file is expected to hold documents: the operator named it, or its name says so. */
const isExpected = ({ entry }: Origin): boolean => entry === undefined || JSON_NAME.test(entry);

/**
 * Reads the cameras of all inputs: device folders, folders of these or of files, files with documents. `-` is standard
 * input. No input ends the reading: one that can't be used is counted and named.
 */
export async function readInputs(
  inputs: readonly string[],
  fleet: FleetCount,
  standardInput: AsyncIterable<Buffer>,
): Promise<void> {
  const seen = new Set<string>();
  for (const input of inputs) {
    const source = input === '-' ? STANDARD_INPUT : input;
    try {
      if (input !== '-') await readPath(input, { source }, { fleet, seen, isCollection: true });
      else if (!seen.has(input)) await readDocuments(standardInput, { source }, fleet);
    } catch (error) {
      fleet.refuse('unreadable', source, whyUnreadable(error));
    }
    seen.add(input);
  }
}

interface Reading {
  readonly fleet: FleetCount;
  /** Device and inode of what was read, because patterns of a shell can name one file twice. */
  readonly seen: Set<string>;
  /** Whether a folder may hold further folders and files. */
  readonly isCollection: boolean;
}

async function readPath(path: string, origin: Origin, reading: Reading): Promise<void> {
  const stats = await stat(path);
  const identity = `${stats.dev}:${stats.ino}`;
  if (reading.seen.has(identity)) return;
  reading.seen.add(identity);
  if (stats.isDirectory()) await readFolder(path, origin, reading);
  else await readFile(path, stats, origin, reading.fleet);
}

/** @throws a defect of this program */
function whyUnreadable(error: unknown): string {
  const errno = errnoOf(error);
  if (errno === undefined) throw error;
  if (errno === 'EACCES' || errno === 'EPERM') return 'no permission';
  return errno === 'ENOENT' ? 'does not exist' : errno;
}

async function readFolder(path: string, origin: Origin, reading: Reading): Promise<void> {
  const { fleet } = reading;
  const names: string[] = [];
  let hidden = 0;
  for await (const { name } of await opendir(path, { bufferSize: 256 })) {
    if (names.length === MAX_ENTRIES) {
      fleet.refuse('too large', origin.source, `only ${MAX_ENTRIES} names of the folder are read`);
      break;
    }
    if (name.startsWith('.')) hidden += 1;
    else names.push(name);
  }
  if (isDeviceFolder(names)) {
    const found = await readDeviceFolder(resolve(path));
    if (found === undefined) fleet.refuse('unreadable', origin.source, 'no permission to read the files in it');
    else fleet.add({ ...found, source: origin.source, entry: origin.entry });
  } else if (names.length === 0) {
    fleet.refuse('empty', origin.source, hidden === 0 ? 'the folder is empty' : 'the folder holds only hidden files');
  } else if (!reading.isCollection) {
    fleet.refuse('foreign', origin.source, 'a folder, but not of a device');
  } else {
    await readEntries(path, names.sort(), { ...reading, isCollection: false });
  }
}

async function readEntries(folder: string, names: readonly string[], reading: Reading): Promise<void> {
  const rest = names.values();
  const readRest = async (): Promise<void> => {
    for (const name of rest) {
      const source = join(folder, name);
      await readPath(source, { source, entry: name }, reading).catch((error: unknown) =>
        reading.fleet.refuse('unreadable', source, whyUnreadable(error)),
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, readRest));
}

async function readFile(path: string, stats: Stats, origin: Origin, fleet: FleetCount): Promise<void> {
  // A shell makes a pipe of <(command).
  const isPipe = stats.isFIFO() && origin.entry === undefined;
  if (!stats.isFile() && !isPipe) {
    fleet.refuse(isExpected(origin) ? 'unreadable' : 'foreign', origin.source, 'not a plain file');
    return;
  }
  const handle = await open(path, 'r');
  try {
    await readDocuments(chunksOf(handle, stats.size), origin, fleet);
  } finally {
    await handle.close();
  }
}

/** The content of a file. Each chunk uses the memory of the one before. */
async function* chunksOf(handle: FileHandle, size: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(size === 0 ? MAX_CHUNK_BYTES : Math.min(size, MAX_CHUNK_BYTES));
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Windows PowerShell writes UTF-16 with a byte order mark. */
const isUtf16 = (start: Buffer): boolean => start[0] === 0xff && start[1] === 0xfe;

async function readDocuments(chunks: AsyncIterable<Buffer>, origin: Origin, fleet: FleetCount): Promise<void> {
  let documents = 0;
  let faults = 0;
  let bytes = 0;
  let decoder: TextDecoder | undefined;
  let first: Found | undefined;
  const at = (line: number): string => (line === 1 ? origin.source : `${origin.source}:${line}`);
  const objects = findJsonObjects({
    object(text, line) {
      documents += 1;
      const read = readStatusDocument(text);
      if (!read.ok) return fleet.refuse(read.refusal, at(line), read.why);
      const { status } = read;
      const found = { status, source: at(line), entry: undefined, seenAt: timeOf(status.checkedAt) };
      // The name of a file names a camera only if the file has one document.
      if (documents === 1) first = found;
      else fleet.add(found);
    },
    fault(fault, line) {
      faults += 1;
      const isOther = fault === 'not JSON' && documents === 0 && !isExpected(origin);
      if (fault === 'too large') fleet.refuse('too large', at(line), FAULTS[fault]);
      else fleet.refuse(isOther ? 'foreign' : 'damaged', at(line), FAULTS[fault]);
    },
  });
  for await (const chunk of chunks) {
    if (bytes === 0 && isUtf16(chunk)) decoder = new TextDecoder('utf-16le');
    bytes += chunk.length;
    if (bytes > MAX_INPUT_BYTES) {
      fleet.refuse('too large', origin.source, `only the first ${MAX_INPUT_BYTES} bytes are read`);
      break;
    }
    objects.feed(decoder === undefined ? chunk : Buffer.from(decoder.decode(chunk, { stream: true })));
  }
  objects.end();
  const entry = documents === 1 ? origin.entry?.replace(JSON_NAME, '') : undefined;
  if (first !== undefined) fleet.add({ ...first, entry });
  if (documents + faults === 0) fleet.refuse('empty', origin.source, bytes === 0 ? 'empty' : 'holds no document');
}
