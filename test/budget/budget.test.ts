/**
 * What a boot and a run cost, as far as no machine's speed has a say in it (docs/performance.md). Who needs more
 * changes the limit here, and says there why.
 */
import { describe, it } from 'vitest';
import { startLinkProxy } from '../../bench/parts/linkProxy.ts';
import { runAgentProcess } from '../support/agentProcess.ts';
import type { AtEnd } from '../support/atEnd.ts';
import { makeDeviceFolder } from '../support/deviceFolder.ts';
import { expectProvisioned } from '../support/runChecks.ts';
import { startServer } from '../support/server.ts';
import { loadedBuiltins, observe } from './observed.ts';

const KB = 1024;

/** main.js, and what it shares with the program: formats of a line, journald, the signals that end a run. */
const BOOT_FILES = 6;
const BOOT_BYTES = 6 * KB;

/** Long against what else the client does in the meantime, such as opening the next connection. */
const ANSWER_DELAY_MS = 400;

describe.concurrent('a boot without work', () => {
  it('loads a few small files, nothing of Node’s that an empty program has not, and waits for no disk', async ({
    expect,
    onTestFinished,
  }) => {
    const { paths } = await makeDeviceFolder(onTestFinished, { port: 1, requested: false });
    const seen = await observe(onTestFinished, ['run', '--dir', paths.deviceFolder]);
    expect(seen).toMatchObject({ status: 0, syncs: 0 });
    expect(seen.bytes).toBeLessThanOrEqual(BOOT_BYTES);
    expect(seen.files.length).toBeLessThanOrEqual(BOOT_FILES);
    expect(await loadedBuiltins(onTestFinished, ['run', '--dir', paths.deviceFolder])).toEqual([]);
  });
});

/** What a run needs of the network. */
async function linkUse(atEnd: AtEnd) {
  const server = await startServer(atEnd);
  const proxy = await startLinkProxy({ targetPort: server.port, answerDelayMs: ANSWER_DELAY_MS });
  atEnd(() => proxy.close());
  const { paths } = await makeDeviceFolder(atEnd, { port: proxy.port, provisioning: { timeout_seconds: 10 } });
  const end = await runAgentProcess(atEnd, paths.deviceFolder);
  // CONNECT, SUBSCRIBE, PUBLISH; CONNECT, PUBLISH. Each has one answer, the request's PUBLISH two.
  const seen = { roundTrips: proxy.roundTrips(), connections: proxy.connections(), ...proxy.packets() };
  // It looks at the server with the new credentials, through the proxy.
  await expectProvisioned(paths, end, server);
  return seen;
}

describe.concurrent('a run', () => {
  it('loads few files, and makes 20 fsyncs', { timeout: 120_000 }, async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const provision = async () => {
      const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
      return observe(onTestFinished, ['run', '--dir', paths.deviceFolder]);
    };
    let seen = await provision();
    // A slow run saves more of its states for `status`; the shortest of a few has the fsyncs that every run makes.
    for (let more = 0; more < 5 && seen.syncs > 20; more += 1) seen = await provision();
    expect(seen).toMatchObject({ status: 0, syncs: 20 });
    expect(seen.files.length).toBeLessThanOrEqual(24);
    expect(seen.bytes).toBeLessThanOrEqual(490 * KB);
  });

  it('loads nothing of Node’s that only other commands or TLS need', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const loaded = await loadedBuiltins(onTestFinished, ['run', '--dir', paths.deviceFolder]);
    expect(loaded).toContain('NativeModule net');
    for (const name of ['http', 'tls', 'worker_threads', 'readline'])
      expect(loaded).not.toContain(`NativeModule ${name}`);
  });

  it('makes 4 round trips on TCP, with 11 packets on 2 connections', { timeout: 120_000 }, async ({
    expect,
    onTestFinished,
  }) => {
    const expected = { roundTrips: 4, connections: 2, toServer: 5, toClient: 6 };
    // A crowded machine can only make it more; fewer packets than these are no run.
    let seen = await linkUse(onTestFinished);
    for (let more = 0; more < 4 && seen.roundTrips > expected.roundTrips; more += 1) {
      seen = await linkUse(onTestFinished);
    }
    expect(seen).toEqual(expected);
  });
});

describe.concurrent('the other commands load only their own parts', () => {
  it.for([
    // The catalogue of failures, whose texts take 20 kB, is in the part that every command loads.
    ['--version', 100 * KB],
    ['status', 260 * KB],
    ['explain', 260 * KB],
  ] as const)('%s: at most %i bytes', async ([command, limit], { expect, onTestFinished }) => {
    const { paths } = await makeDeviceFolder(onTestFinished, { port: 1, requested: false });
    const folder = command.startsWith('-') ? [] : ['--dir', paths.deviceFolder];
    const seen = await observe(onTestFinished, [command, ...folder]);
    expect(seen).toMatchObject({ status: 0, syncs: 0 });
    expect(seen.bytes).toBeLessThanOrEqual(limit);
  });

  it('start: at most 510 kB', async ({ expect, onTestFinished }) => {
    const { paths } = await makeDeviceFolder(onTestFinished, { port: 1, requested: false });
    const args = ['start', '--log-format', 'json', '--dir', paths.deviceFolder];
    const seen = await observe(onTestFinished, args, /session\./);
    expect(seen.status).toBe(0);
    expect(seen.bytes).toBeLessThanOrEqual(510 * KB);
  });
});
