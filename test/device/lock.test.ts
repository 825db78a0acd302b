import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { acquireLock, type Lock, lockHolder } from '../../src/device/lock.ts';
import { failureOf } from '../config/scratch.ts';
import { makeFolder } from '../support/deviceFolder.ts';

const newFolder = (): Promise<string> => makeFolder(onTestFinished);

async function hold(folder: string): Promise<Lock> {
  const lock = await acquireLock(folder);
  onTestFinished(() => lock.release());
  return lock;
}

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

/** The name of the folder's lock in Linux's abstract socket namespace, for holders that are not agents. */
async function socketNameOf(folder: string): Promise<string> {
  const { dev, ino } = await stat(folder, { bigint: true });
  return `\0thermal-provision/${dev}/${ino}`;
}

/** Another program that holds the lock and answers connections in this way. */
async function strangeHolder(folder: string, answer: (socket: Socket) => void): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    answer(socket);
  });
  server.listen(await socketNameOf(folder));
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
}

/** Another process that holds the lock until it is killed. */
async function holdingProcess(folder: string): Promise<ChildProcess> {
  const script = `require('node:net').createServer((s) => s.end(String(process.pid)))
    .listen(${JSON.stringify(await socketNameOf(folder))}, () => process.stdout.write('held'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

describe('the lock of a state folder', () => {
  it('has one holder, and the second agent gets its pid', async () => {
    const folder = await newFolder();
    await hold(folder);
    const failure = await failureOf(() => acquireLock(folder));
    expect([failure.code, failure.exitStatus]).toEqual(['LOCKED', 75]);
    expect(failure.message).toBe(`Another agent works on ${folder}: process ${process.pid}`);
    expect(await lockHolder(folder)).toBe(process.pid);
  });

  it('covers all its folders or none', async () => {
    const [device, state, other] = [await newFolder(), await newFolder(), await newFolder()];
    const lock = await acquireLock(device, state);
    for (const folders of [
      [device, other],
      [other, state],
    ]) {
      expect((await failureOf(() => acquireLock(...folders))).code).toBe('LOCKED');
      expect(await lockHolder(other)).toBeUndefined();
    }
    await lock.release();
    expect([await lockHolder(device), await lockHolder(state)]).toEqual([undefined, undefined]);
  });

  it('locks a folder once that is named twice', async () => {
    const folder = await newFolder();
    const lock = await acquireLock(folder, join(folder, '.'));
    await lock.release();
    expect(await lockHolder(folder)).toBeUndefined();
  });

  it('is free again after its release', async () => {
    const folder = await newFolder();
    await (await acquireLock(folder)).release();
    expect(await lockHolder(folder)).toBeUndefined();
    await hold(folder);
  });

  it('admits one of many at the same time', async () => {
    const folder = await newFolder();
    const attempts = await Promise.allSettled(Array.from({ length: 20 }, () => hold(folder)));
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is free the moment its holder is killed, and leaves nothing behind', async () => {
    const folder = await newFolder();
    const holder = await holdingProcess(folder);
    expect(await lockHolder(folder)).toBe(holder.pid);
    expect((await failureOf(() => acquireLock(folder))).message).toContain(`process ${holder.pid}`);
    const ended = once(holder, 'exit');
    holder.kill('SIGKILL');
    await ended;
    await hold(folder);
  });

  it('is held also by an agent in another network namespace, until that agent is killed', async (context) => {
    // As deep as a path may be: the path of a socket may have 107 bytes.
    const folder = join(await newFolder(), 'x'.repeat(200));
    await mkdir(folder);
    const script = `process.chdir(${JSON.stringify(folder)});
      require('node:net').createServer((s) => s.end(String(process.pid)))
      .listen('lock.socket', () => process.stdout.write('held'))`;
    const holder = spawn('unshare', ['--net', process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void holder.kill('SIGKILL'));
    const ended = once(holder, 'exit');
    if ((await Promise.race([once(holder.stdout, 'data'), ended]))[0]?.toString() !== 'held') {
      return context.skip('only root may make a network namespace');
    }
    expect(await lockHolder(folder)).toBe(holder.pid);
    expect((await failureOf(() => acquireLock(folder))).message).toContain(`process ${holder.pid}`);
    holder.kill('SIGKILL');
    await ended;
    expect(await readdir(folder)).toEqual(['lock.socket']);
    expect(await lockHolder(folder)).toBeUndefined();
    const lock = await hold(folder);
    expect(await lockHolder(folder)).toBe(process.pid);
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is also held where its socket file can not be made', async () => {
    const folder = await newFolder();
    await mkdir(join(folder, 'lock.socket'));
    await hold(folder);
    expect((await failureOf(() => acquireLock(folder))).code).toBe('LOCKED');
  });

  it('has a socket file for its owner alone, whatever the umask', async () => {
    const folder = await newFolder();
    const umask = process.umask(0);
    const lock = await hold(folder).finally(() => process.umask(umask));
    expect((await stat(join(folder, 'lock.socket'))).mode & 0o777).toBe(0o600);
    await lock.release();
  });

  it('goes to one of two agents that find the socket file of a killed one', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'lock.socket'), '');
    const taking = acquireLock(folder);
    // As an agent in another network namespace: it has found the same dead file and replaces it a moment later.
    let other: Server | undefined;
    const replaced = (async () => {
      const path = join(folder, 'lock.socket');
      while (!(await stat(path).catch(() => undefined))?.isSocket()) await new Promise(setImmediate);
      await rm(path);
      other = createServer((socket) => socket.end('4711')).listen(path);
      await once(other, 'listening');
    })();
    expect((await failureOf(() => taking)).message).toContain('process 4711');
    await replaced;
    other?.close();
  });

  it('is the same lock for every path to the folder', async () => {
    const folder = await newFolder();
    const link = join(await newFolder(), 'link');
    await symlink(folder, link);
    await hold(folder);
    for (const path of [
      link,
      `${folder}/.`,
      relative(process.cwd(), folder),
      join(dirname(folder), 'x', '..') + folder.slice(dirname(folder).length),
    ]) {
      expect((await failureOf(() => acquireLock(path))).code, path).toBe('LOCKED');
    }
  });

  it('is a different lock for a different folder', async () => {
    await hold(await newFolder());
    await hold(await newFolder());
  });

  it("can't be taken for an absent folder", async () => {
    const missing = join(await newFolder(), 'missing');
    expect((await failureOf(() => acquireLock(missing))).code).toBe('DISK_ERROR');
    expect(await lockHolder(missing)).toBeUndefined();
  });

  it.each<[string, (socket: Socket) => void]>([
    ['closes at once', (socket) => socket.end()],
    ['breaks the connection', (socket) => socket.destroy()],
    ['sends something else', (socket) => socket.end('hello')],
    ['sends without an end', (socket) => socket.write('x'.repeat(10_000))],
    ['sends nothing', () => {}],
  ])('is held also by a process that %s', async (_what, answer) => {
    const folder = await newFolder();
    await strangeHolder(folder, answer);
    const startedAt = performance.now();
    const failure = await failureOf(() => acquireLock(folder));
    expect(failure.code).toBe('LOCKED');
    expect(failure.message).toContain('its process id is unknown');
    expect(await lockHolder(folder)).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(4000);
  });

  it('survives a client that disconnects before the answer', async () => {
    const folder = await newFolder();
    await hold(folder);
    const script = `const s = require('node:net').connect(${JSON.stringify(await socketNameOf(folder))}, () => s.destroy())`;
    const asker = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
    await once(asker, 'exit');
    expect(await lockHolder(folder)).toBe(process.pid);
  });

  it.skipIf(!hasPrlimit)("fails as INTERNAL when it can't be created for another reason (needs prlimit)", async () => {
    const folder = await newFolder();
    const limit = (soft: string): void => {
      execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${soft}:`]);
    };
    const [, before = '1024'] =
      /(\d+)/.exec(
        execFileSync('prlimit', ['--pid', String(process.pid), '--nofile', '--output=SOFT', '--noheadings'], {
          encoding: 'utf8',
        }),
      ) ?? [];
    const taken: number[] = [];
    limit('128');
    try {
      for (let opened = 0; opened < 128; opened += 1) {
        try {
          taken.push(openSync('/dev/null', 'r'));
        } catch {
          break;
        }
      }
      expect((await failureOf(() => acquireLock(folder))).code).toBe('INTERNAL');
    } finally {
      for (const descriptor of taken) closeSync(descriptor);
      limit(before);
    }
  });
});
