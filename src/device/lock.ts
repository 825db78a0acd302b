import { constants } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { Failure } from '../failures/failure.ts';
import { errnoOf, fileFailure } from '../failures/fileFailure.ts';
import { removeNote } from '../files/note.ts';
import { makeSocketPrivate, nameFile } from '../files/socketFile.ts';
import { generateRunId } from './candidate.ts';

/** An agent holds it while it works on a device. */
export interface Lock {
  release(): Promise<void>;
}

const ASK_HOLDER_MS = 1000;
const MAX_ANSWER = 32;
/** Errors of a connection to a socket on which nobody listens. */
const DEAD = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTDIR', 'ENOTSOCK']);

/**
 * Name of the lock in Linux's abstract socket namespace (unix(7)). It is not a file: the kernel frees it as soon as the
 * process that holds it dies. Device and inode number give all paths to one folder the same lock.
 */
async function socketName(folder: string): Promise<string> {
  const { dev, ino } = await stat(folder, { bigint: true }).catch((error: unknown) => {
    throw fileFailure(error, `lock the folder ${folder}`);
  });
  return `\0thermal-provision/${dev}/${ino}`;
}

function listen(name: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(String(process.pid));
    });
    server.unref();
    server.once('error', reject);
    server.listen(name, () => resolve(server));
  });
}

/** A process that listens on a lock's socket. `pid` is undefined if it does not answer in time. */
interface Holder {
  readonly pid: string | undefined;
}

/**
 * Asks who listens on the socket. undefined: nobody, although a socket file may be there.
 * @throws the system's EACCES for a socket file of another user: whether somebody listens is then not known
 */
function askHolder(name: string): Promise<Holder | undefined> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(name);
    const end = (): void => {
      socket.destroy();
      resolve({ pid: /^\d+$/.test(answer) ? answer : undefined });
    };
    socket.setTimeout(ASK_HOLDER_MS, end);
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1').slice(0, MAX_ANSWER);
      if (answer.length >= MAX_ANSWER) end();
    });
    socket.on('error', (error) => {
      if (DEAD.has(errnoOf(error) ?? '')) resolve(undefined);
      else if (errnoOf(error) === 'EACCES') reject(error);
      else end();
    });
    socket.on('end', end);
  });
}

const lockedBy = (folder: string, holder: Holder | undefined): Failure =>
  holder?.pid === undefined
    ? new Failure('LOCKED', 'byUnknown', { folder })
    : new Failure('LOCKED', 'byProcess', { folder, pid: holder.pid });

async function acquire(folder: string, name: string): Promise<Server> {
  try {
    return await listen(name);
  } catch (error) {
    if (errnoOf(error) !== 'EADDRINUSE') throw new Failure('INTERNAL', 'noLock', { folder }, error);
    throw lockedBy(folder, await askHolder(name));
  }
}

/** Socket file for agents in other network namespaces: containers with the same volume, or a container and its host. */
const SOCKET_FILE = 'lock.socket';
/** Longer than another agent needs between its look at a dead socket file and the removal of the file. */
const TAKE_OVER_MS = 50;

/** The folder by its descriptor, because the path of a socket has 107 bytes at most. */
const byDescriptor = (folder: FileHandle): string => `/proc/self/fd/${folder.fd}`;

const inodeOf = (path: string): Promise<bigint | undefined> =>
  lstat(path, { bigint: true }).then(
    ({ ino }) => ino,
    () => undefined,
  );

/** Removes the socket file if it is still this process's own, and ends the server. */
async function withdraw(server: Server, path: string, own: bigint | undefined): Promise<void> {
  if (own !== undefined && (await inodeOf(path)) === own) await removeNote(path);
  await closed(server);
}

/**
 * Listens on the socket file. The file gets its name when the server already listens, so a file on which nobody listens
 * belongs to a killed agent and is replaced.
 * @returns undefined where the file system has no sockets or no hard links or is read-only, and where a socket file of
 * another user is in the way
 * @throws Failure LOCKED
 */
async function listenInFolder(folder: string, at: string): Promise<(() => Promise<void>) | undefined> {
  const path = `${at}/${SOCKET_FILE}`;
  // Node removes this name when it closes the server.
  const unnamed = `${path}.${generateRunId()}`;
  const server = await listen(unnamed).catch(() => undefined);
  if (server === undefined) return undefined;
  const own = await inodeOf(unnamed);
  try {
    await makeSocketPrivate(unnamed);
    for (const isRetry of [false, true]) {
      const isNamed = await nameFile(unnamed, path);
      // Another agent may have found the same dead file, and may replace this one with its own.
      if (isNamed && isRetry) await setTimeout(TAKE_OVER_MS);
      if (isNamed && (await inodeOf(path)) === own) return () => withdraw(server, path, own);
      const holder = await askHolder(path);
      if (holder !== undefined) throw lockedBy(folder, holder);
      await removeNote(path);
    }
    await closed(server);
    return undefined;
  } catch (error) {
    await closed(server);
    if (error instanceof Failure) throw error;
    return undefined;
  } finally {
    await removeNote(unnamed);
  }
}

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/**
 * Takes the locks of all given folders, or of none. The device folder alone is not enough: two devices could share a
 * state folder. Neither is the state folder: two agents could use different state folders for one device folder. The
 * last folder also gets a socket file, which agents in other network namespaces see.
 * @throws Failure LOCKED, naming the process that holds it
 */
export async function acquireLock(...folders: readonly string[]): Promise<Lock> {
  const held = new Map<string, Server>();
  let last: FileHandle | undefined;
  let withdrawFile: (() => Promise<void>) | undefined;
  const release = async (): Promise<void> => {
    // The file goes first: the next holder of the other sockets can then make a new one.
    await withdrawFile?.();
    await last?.close();
    await Promise.all([...held.values()].map(closed));
  };
  try {
    for (const folder of folders) {
      const name = await socketName(folder);
      if (!held.has(name)) held.set(name, await acquire(folder, name));
    }
    const folder = folders.at(-1);
    if (folder !== undefined) {
      last = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
      withdrawFile = await listenInFolder(folder, byDescriptor(last));
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

/** Pid of the process that holds the lock of one of the folders. undefined: not locked, or no answer. */
export async function lockHolder(...folders: readonly string[]): Promise<number | undefined> {
  for (const folder of folders) {
    const name = await socketName(folder).catch(() => undefined);
    const holder = name === undefined ? undefined : ((await askHolder(name)) ?? (await askInFolder(folder)));
    if (holder?.pid !== undefined) return Number(holder.pid);
  }
  return undefined;
}

async function askInFolder(folder: string): Promise<Holder | undefined> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    return await askHolder(`${byDescriptor(handle)}/${SOCKET_FILE}`).catch(() => undefined);
  } finally {
    await handle.close();
  }
}
