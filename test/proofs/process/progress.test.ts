import { spawn } from 'node:child_process';
import { describe, inject, it } from 'vitest';
import { STEPS } from '../../../machines/provision.states.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { makeDeviceFolder } from '../../support/deviceFolder.ts';
import { startServer, watchEvents } from '../../support/server.ts';
import { closedPort } from '../../support/strangeServers.ts';

interface OnTerminal {
  readonly status: number | null;
  readonly output: string;
}

interface Started {
  readonly ended: Promise<OnTerminal>;
  /** Types on the terminal's keyboard. */
  type(keys: string): void;
}

const LIMIT_MS = 20_000;
const CLEAR_LINE = '\r\x1b[K';

/** Starts `run` on its own terminal, with `script` of util-linux, which every Debian has. */
function startOnTerminal(atEnd: AtEnd, folder: string, columns = 80, options = '', env = {}): Started {
  const command = `stty cols ${columns} rows 24; exec "${process.execPath}" "${inject('bundle')}" run --dir "${folder}" ${options}`;
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH ?? '', TERM: 'xterm', SHELL: '/bin/sh', THERMAL_BOARD_ID: 'board-1', ...env },
  });
  atEnd(() => void child.kill('SIGKILL'));
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => void chunks.push(chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const ended = new Promise<OnTerminal>((resolve) => {
    child.once('close', (status) => {
      clearTimeout(timer);
      resolve({ status, output: Buffer.concat(chunks).toString('utf8') });
    });
  });
  return { ended, type: (keys) => void child.stdin.write(keys) };
}

describe.concurrent('run on a terminal', () => {
  it('shows each step, and the device in the end', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const { status, output } = await startOnTerminal(onTestFinished, paths.deviceFolder, 80, '', { NO_COLOR: '1' })
      .ended;
    expect(status).toBe(0);
    const done = [...output.matchAll(/✓ (\w+):/g)].map(([, step]) => step);
    expect(done).toEqual(STEPS);
    const [device] = server.registry.devices();
    expect(output.split('\n').at(-3)).toContain(`✓ Provisioned as ${device?.name};`);
    expect(output).not.toContain('state.entered');
    // Lines are redrawn. The output has no other terminal command, and never hides the cursor.
    expect(output.replaceAll(CLEAR_LINE, '')).not.toContain('\x1b');
  });

  it('counts down at 40 columns without a longer line, and says what to do', async (context) => {
    const { expect, onTestFinished } = context;
    const port = await closedPort();
    const { paths } = await makeDeviceFolder(onTestFinished, { port, provisioning: { max_retries: 1 } });
    const { status, output } = await startOnTerminal(onTestFinished, paths.deviceFolder, 40, '', { NO_COLOR: '1' })
      .ended;
    expect(status).toBe(69);
    expect(output).toContain('… backoff: attempt 2 of 2 in 1 s');
    for (const line of output.replaceAll(CLEAR_LINE, '\n').split(/\r?\n/)) {
      expect(/\S{40}/.test(line) || [...line].length <= 40 ? '' : line).toBe('');
    }
    expect(output).toMatch(/✗ CONNECTION_REFUSED: /);
    expect(output.replaceAll(/\s+/g, ' ')).toContain('→ Check provisioning.port in provision.json');
    expect(output).toContain(paths.deviceFolder);
  });

  it('ends with 75 on Ctrl-C, and does not change the terminal', async ({ expect, onTestFinished }) => {
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { latencyMs: 3000, onEvent: watch.onEvent });
    const provisioning = { timeout_seconds: 9 };
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning });
    const run = startOnTerminal(onTestFinished, paths.deviceFolder);
    watch.when('commit', () => run.type('\x03'));
    const { status, output } = await run.ended;
    expect(status).toBe(75);
    expect(output).toMatch(/Interrupted; the next start resumes the run\r\n$/);
    expect(output).not.toContain('\x1b[?');
  });

  it('continues while the terminal is stopped with Ctrl-S', async ({ expect, onTestFinished }) => {
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { latencyMs: 300, onEvent: watch.onEvent });
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const run = startOnTerminal(onTestFinished, paths.deviceFolder);
    watch.when('request', () => run.type('\x13'));
    const { status } = await run.ended;
    expect(status).toBe(0);
    expect(server.registry.devices()).toHaveLength(1);
  });

  it('prints log lines with an explicit format or level, or on a terminal without cursor control', async (context) => {
    const { expect, onTestFinished } = context;
    const port = await closedPort();
    const { paths } = await makeDeviceFolder(onTestFinished, { port });
    const runs = [
      startOnTerminal(onTestFinished, paths.deviceFolder, 80, '--log-format json').ended,
      startOnTerminal(onTestFinished, paths.deviceFolder, 80, '', { TERM: 'dumb' }).ended,
    ];
    const [json, dumb] = await Promise.all(runs);
    expect(json?.output).toMatch(/^\{"time":/m);
    expect(dumb?.output).toMatch(/ INFO | ERROR /);
    const debug = await startOnTerminal(onTestFinished, paths.deviceFolder, 80, '--log-level debug').ended;
    expect(debug.output).toMatch(/ ERROR /);
  });
});
