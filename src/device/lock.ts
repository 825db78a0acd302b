import { stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { Failure } from '../failures/failure.ts';
import { errnoOf, fileFailure } from '../failures/fileFailure.ts';

/** An agent holds it while it works on a device. */
export interface Lock {
  release(): Promise<void>;
}

const ASK_HOLDER_MS = 1000;
const MAX_ANSWER = 32;

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

/** Pid of the process that holds the lock. undefined: no answer in time. */
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
 * Takes the locks of all given folders, or of none. The device folder alone is not enough: two devices could share a
 * state folder. Neither is the state folder: two agents could use different state folders for one device folder.
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

/** Pid of the process that holds the lock of one of the folders. undefined: not locked, or no answer. */
export async function lockHolder(...folders: readonly string[]): Promise<number | undefined> {
  for (const folder of folders) {
    const name = await socketName(folder).catch(() => undefined);
    const pid = name === undefined ? undefined : await askHolder(name);
    if (pid !== undefined) return Number(pid);
  }
  return undefined;
}
