import { stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { Failure } from '../failures/failure.ts';
import { errnoOf, fileFailure } from '../failures/fileFailure.ts';

/** Held while an agent works on a device. */
export interface Lock {
  release(): Promise<void>;
}

const ASK_HOLDER_MS = 1000;
const MAX_ANSWER = 32;

/**
 * The lock's name in Linux's abstract socket namespace (unix(7)): no file, so nothing is left behind, and the kernel
 * frees it the moment its holder dies. Device and inode make all paths to one folder the same lock.
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

/** The pid that the holder tells, or undefined when it tells nothing in time. */
function askHolder(name: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(name);
    const end = (): void => {
      socket.destroy();
      resolve(/^\d+$/.test(answer) ? answer : undefined);
    };
    socket.setTimeout(ASK_HOLDER_MS, end);
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1').slice(0, MAX_ANSWER);
      if (answer.length >= MAX_ANSWER) end();
    });
    socket.on('error', end);
    socket.on('end', end);
  });
}

async function acquire(folder: string, name: string): Promise<Server> {
  try {
    return await listen(name);
  } catch (error) {
    if (errnoOf(error) !== 'EADDRINUSE') throw new Failure('INTERNAL', 'noLock', { folder }, error);
    const pid = await askHolder(name);
    if (pid === undefined) throw new Failure('LOCKED', 'byUnknown', { folder });
    throw new Failure('LOCKED', 'byProcess', { folder, pid });
  }
}

/**
 * Takes the lock of folders, of all of them at once or of none: the device folder alone would let two devices share a
 * state folder, the state folder alone would let two agents with different ones share a device folder.
 * @throws Failure LOCKED, naming the process that holds it
 */
export async function acquireLock(...folders: readonly string[]): Promise<Lock> {
  const held = new Map<string, Server>();
  const release = async (): Promise<void> => {
    await Promise.all([...held.values()].map((server) => new Promise((resolve) => server.close(resolve))));
  };
  try {
    for (const folder of folders) {
      const name = await socketName(folder);
      if (!held.has(name)) held.set(name, await acquire(folder, name));
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

/** Who holds the lock of one of the folders, as a pid; undefined when nobody does or it can't be told. */
export async function lockHolder(...folders: readonly string[]): Promise<number | undefined> {
  for (const folder of folders) {
    const name = await socketName(folder).catch(() => undefined);
    const pid = name === undefined ? undefined : await askHolder(name);
    if (pid !== undefined) return Number(pid);
  }
  return undefined;
}
