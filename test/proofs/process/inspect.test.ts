import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, inject, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import { DEVICE_KEY, DEVICE_SECRET, startServer } from '../../support/server.ts';

/** The address that a command prints. */
function printedUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const look = (chunk: Buffer): void => {
      text += chunk.toString('utf8');
      const [url] = /http:\/\/127\.0\.0\.1:\d+\/[\w-]{24}\//.exec(text) ?? [];
      if (url !== undefined) resolve(url);
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('close', () => reject(new Error(`no address was printed: ${text}`)));
  });
}

// The demonstration, which takes the longest, is first.

/** Starts `demo --inspect` with its own folder for temporary files. */
async function startDemo(atEnd: AtEnd) {
  const temporary = await makeFolder(atEnd);
  const child = spawn(process.execPath, [inject('bundle'), 'demo', '--inspect'], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { TMPDIR: temporary, THERMAL_BOARD_ID: 'board-1' },
  });
  atEnd(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  const closed = once(child, 'close');
  return {
    url: await printedUrl(child),
    output: () => output,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    /** Sends SIGINT. @returns the exit status, and the remaining temporary files */
    async interrupt() {
      child.kill('SIGINT');
      const [status] = await closed;
      return { status, left: await readdir(temporary) };
    },
  };
}

/** Follows the page like a browser. @returns a function that gives the received text so far */
async function follow(url: string): Promise<() => string> {
  const { body } = await fetch(`${url}events`);
  let text = '';
  const decoder = new TextDecoder();
  const read = async (): Promise<void> => {
    for await (const chunk of body ?? []) text += decoder.decode(chunk, { stream: true });
  };
  read().catch(() => {});
  return () => text.replaceAll('\\"', '"');
}

const marked = (state: string, look: string, mark: string): string =>
  `id="provision-state-${state}" class="state ${look}" data-mark="${mark}"`;

describe.concurrent('demo --inspect', () => {
  it('starts when the page is open, shows every part of the demo, and stays open until SIGINT', async (context) => {
    const { expect, onTestFinished } = context;
    const demo = await startDemo(onTestFinished);
    expect(demo.output()).toMatch(/^Open http:/);
    await expect.poll(demo.output).toContain('device folder:');
    const before = await fetch(demo.url).then((answer) => answer.text());
    expect(before).toContain('id="provision-state-detect" class="state active">');
    expect(before).toContain('not started');
    expect((await fetch(new URL('/', demo.url))).status).toBe(403);
    // Longer than the pause between opening the page and the start.
    await delay(3000);
    expect(demo.output()).not.toContain('2. Boot');

    const seen = await follow(demo.url);
    await expect.poll(seen).toContain(marked('request', 'active', 'current'));
    await expect.poll(seen).toContain('The run was interrupted in request');
    await expect.poll(seen).toContain(marked('provisioned', 'final', 'done'));
    await expect.poll(demo.output).toContain(`The page stays at ${demo.url}`);
    const after = await fetch(demo.url).then((answer) => answer.text());
    expect(after).toContain(marked('provisioned', 'final', 'done'));
    expect(demo.isRunning()).toBe(true);
    expect(await demo.interrupt()).toEqual({ status: 0, left: [] });
    expect(seen()).toContain('event: end');
  });

  it.for(['device folder:', '2. Boot'])(
    'ends cleanly when SIGINT comes after "%s"',
    async (line, { expect, onTestFinished }) => {
      const demo = await startDemo(onTestFinished);
      if (line !== 'device folder:') await follow(demo.url);
      await expect.poll(demo.output).toContain(line);
      expect(await demo.interrupt()).toEqual({ status: 0, left: [] });
      expect(demo.output()).not.toContain('4. The result');
    },
  );
});

describe.concurrent('--inspect', () => {
  it('shows a run on a page during the run, and does not keep the process alive', async (context) => {
    const { expect, onTestFinished } = context;
    const server = await startServer(onTestFinished, {
      faults: [{ on: 'request', nth: 1, action: 'delay', ms: 1000 }],
    });
    const folder = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning: { timeout_seconds: 5 } });
    const agent = startAgent(onTestFinished, folder.paths.deviceFolder, { command: ['run', '--inspect'] });
    const url = await printedUrl(agent.child);
    const logged = await agent.logged('request.sent');
    expect(logged.state).toBe('request');
    const page = await fetch(url).then((answer) => answer.text());
    expect(page).toContain('The chart of provision is in request.');
    expect((await fetch(new URL('/', url))).status).toBe(403);
    const live = await fetch(`${url}events`).then((answer) => answer.text());
    expect(live).toContain('event: end');
    const { status, output } = await agent.ended;
    expect(status).toBe(0);
    for (const secret of [DEVICE_KEY, DEVICE_SECRET]) expect(page + live + output).not.toContain(secret);
  });

  it('=stately sends a run to the Stately inspector on this machine', async ({ expect, onTestFinished }) => {
    const receiver = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    onTestFinished(() => receiver.close());
    let received = '';
    receiver.on('connection', (client) => {
      client.on('message', (data) => {
        received += String(data);
      });
    });
    await new Promise((resolve) => receiver.once('listening', resolve));
    const address = receiver.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const run = await runAgentProcess(onTestFinished, paths.deviceFolder, {
      command: ['run', `--inspect=stately:${port}`],
    });
    expect(run.status).toBe(0);
    await expect.poll(() => received).toContain('"value":"provisioned"');
    expect(received).not.toContain(DEVICE_SECRET);
  });

  it('never delays a run whose receiver stalls or is absent', async ({ expect, onTestFinished }) => {
    const stalling = createServer((socket) => void socket.on('error', () => {}).pause());
    onTestFinished(() => void stalling.close());
    await new Promise<void>((resolve) => stalling.listen(0, '127.0.0.1', resolve));
    const address = stalling.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    for (const target of [`stately:${port}`, 'stately:1']) {
      const server = await startServer(onTestFinished);
      const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
      const run = await runAgentProcess(onTestFinished, paths.deviceFolder, {
        command: ['run', `--inspect=${target}`],
      });
      expect(run.status).toBe(0);
      const done = run.log.find(({ event }) => event === 'run.provisioned');
      expect(run.endedAt - (done?.at ?? 0)).toBeLessThan(3000);
    }
  });

  it('refuses an unknown target', async ({ expect, onTestFinished }) => {
    const folder = await makeFolder(onTestFinished);
    for (const target of ['chrome', 'stately:0', 'stately:99999']) {
      const run = await runAgentProcess(onTestFinished, folder, { command: ['run', `--inspect=${target}`] });
      expect({ target, status: run.status }).toEqual({ target, status: 64 });
    }
  });
});

describe.concurrent('thermal-provision inspect', () => {
  it('shows the recorded events of a device until it gets a signal', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    await runAgentProcess(onTestFinished, paths.deviceFolder);
    for (const given of [['inspect', paths.events], ['inspect']]) {
      const agent = startAgent(onTestFinished, paths.deviceFolder, { command: given });
      const url = await printedUrl(agent.child);
      const first = await fetch(url).then((answer) => answer.text());
      expect(first).toContain('line 1 of');
      expect((await fetch(new URL('/?step=1', url))).status).toBe(403);
      const last = await fetch(`${url}?step=9999`).then((answer) => answer.text());
      expect(last).toContain('id="provision-state-provisioned" class="state final" data-mark="done"');
      agent.child.kill('SIGTERM');
      expect((await agent.ended).status).toBe(0);
    }
  });

  it('of a folder that does not exist ends as doctor does', async ({ expect, onTestFinished }) => {
    const missing = join(await makeFolder(onTestFinished), 'nowhere');
    for (const command of ['inspect', 'doctor']) {
      const run = await runAgentProcess(onTestFinished, missing, { command: [command] });
      expect([command, run.status]).toEqual([command, 66]);
      expect(run.output).toContain('There is no device folder');
    }
  });

  it('reports that there is nothing to show', async ({ expect, onTestFinished }) => {
    const folder = await makeFolder(onTestFinished);
    const file = join(folder, 'other.txt');
    await writeFile(file, 'no line of ours\n');
    for (const [given, why] of [
      [file, 'none of its 1 lines'],
      [join(folder, 'absent'), 'the file is absent or empty'],
    ] as const) {
      const run = await runAgentProcess(onTestFinished, folder, { command: ['inspect', given] });
      expect(run.status).toBe(64);
      expect(run.output).toContain(why);
    }
  });
});
