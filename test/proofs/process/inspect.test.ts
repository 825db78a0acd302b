import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { type AgentProcess, runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import { DEVICE_KEY, DEVICE_SECRET, startServer } from '../../support/server.ts';

/** The address that a command prints. */
function printedUrl(agent: AgentProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const look = (chunk: Buffer): void => {
      text += chunk.toString('utf8');
      const [url] = /http:\/\/127\.0\.0\.1:\d+\//.exec(text) ?? [];
      if (url !== undefined) resolve(url);
    };
    agent.child.stdout?.on('data', look);
    agent.child.stderr?.on('data', look);
    agent.ended.then(({ output }) => reject(new Error(`no address was printed: ${output}`)), reject);
  });
}

describe.concurrent('--inspect', () => {
  it('shows a run on a page while it lasts, and does not keep the process alive', async (context) => {
    const { expect, onTestFinished } = context;
    const server = await startServer(onTestFinished, {
      faults: [{ on: 'request', nth: 1, action: 'delay', ms: 1000 }],
    });
    const folder = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning: { timeout_seconds: 5 } });
    const agent = startAgent(onTestFinished, folder.paths.deviceFolder, { command: ['run', '--inspect'] });
    const url = await printedUrl(agent);
    const logged = await agent.logged('request.sent');
    expect(logged.state).toBe('request');
    const page = await fetch(url).then((answer) => answer.text());
    expect(page).toContain('The chart of provision is in request.');
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

  it('refuses what it does not know', async ({ expect, onTestFinished }) => {
    const folder = await makeFolder(onTestFinished);
    for (const target of ['chrome', 'stately:0', 'stately:99999']) {
      const run = await runAgentProcess(onTestFinished, folder, { command: ['run', `--inspect=${target}`] });
      expect({ target, status: run.status }).toEqual({ target, status: 64 });
    }
  });
});

describe.concurrent('thermal-provision inspect', () => {
  it('opens what a device has recorded, until it is told to end', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    await runAgentProcess(onTestFinished, paths.deviceFolder);
    for (const given of [['inspect', paths.events], ['inspect']]) {
      const agent = startAgent(onTestFinished, paths.deviceFolder, { command: given });
      const url = await printedUrl(agent);
      const first = await fetch(url).then((answer) => answer.text());
      expect(first).toContain('line 1 of');
      const last = await fetch(`${url}?step=9999`).then((answer) => answer.text());
      expect(last).toContain('id="provision-state-provisioned" class="state final" data-mark="done"');
      agent.child.kill('SIGTERM');
      expect((await agent.ended).status).toBe(0);
    }
  });

  it('says when there is nothing to show', async ({ expect, onTestFinished }) => {
    const folder = await makeFolder(onTestFinished);
    const file = join(folder, 'other.txt');
    await writeFile(file, 'no line of ours\n');
    for (const [given, why] of [
      [file, 'none of its 1 lines'],
      [join(folder, 'absent'), 'it is absent or empty'],
    ] as const) {
      const run = await runAgentProcess(onTestFinished, folder, { command: ['inspect', given] });
      expect(run.status).toBe(64);
      expect(run.output).toContain(why);
    }
  });
});
