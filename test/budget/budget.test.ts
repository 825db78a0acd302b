/**
 * Costs of a boot and a run that do not depend on the machine's speed (docs/performance.md). A change that needs more
 * changes the limit here and gives the reason there.
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

/** main.js, and the parts that it shares with the program: log formats, journald, signals, names of misnamed files. */
const BOOT_FILES = 6;
const BOOT_BYTES = 7 * KB;

/** Much longer than the client's work during that time, such as opening the next connection. */
const ANSWER_DELAY_MS = 400;

describe.concurrent('a boot without work', () => {
  it('loads a few small files and no additional module of Node, and waits for no disk', async ({
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

/** The round trips, connections and packets of a run. */
async function linkUse(atEnd: AtEnd) {
  const server = await startServer(atEnd);
  const proxy = await startLinkProxy({ targetPort: server.port, answerDelayMs: ANSWER_DELAY_MS });
  atEnd(() => proxy.close());
  const { paths } = await makeDeviceFolder(atEnd, { port: proxy.port, provisioning: { timeout_seconds: 10 } });
  const end = await runAgentProcess(atEnd, paths.deviceFolder);
  // CONNECT, SUBSCRIBE, PUBLISH; CONNECT, PUBLISH. Each has one answer, the request's PUBLISH two.
  const seen = { roundTrips: proxy.roundTrips(), connections: proxy.connections(), ...proxy.packets() };
  // This check connects to the server through the proxy, with the new credentials.
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
    // A slow run saves more states for `status`: the shortest of several runs has the fsyncs that every run makes.
    for (let more = 0; more < 5 && seen.syncs > 20; more += 1) seen = await provision();
    expect(seen).toMatchObject({ status: 0, syncs: 20 });
    expect(seen.files.length).toBeLessThanOrEqual(30);
    expect(seen.bytes).toBeLessThanOrEqual(564 * KB);
  });

  it('loads no module of Node that only other commands or TLS need', async ({ expect, onTestFinished }) => {
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
    // A busy machine can only increase the numbers; a run can't have fewer packets.
    let seen = await linkUse(onTestFinished);
    for (let more = 0; more < 4 && seen.roundTrips > expected.roundTrips; more += 1) {
      seen = await linkUse(onTestFinished);
    }
    expect(seen).toEqual(expected);
  });
});

describe.concurrent('the other commands load only their own parts', () => {
  it.for([
    // The part that every command loads includes the failure catalogue, whose texts take 20 kB.
    ['--version', 112 * KB],
    ['status', 332 * KB],
    ['explain', 332 * KB],
  ] as const)('%s: at most %i bytes', async ([command, limit], { expect, onTestFinished }) => {
    const { paths } = await makeDeviceFolder(onTestFinished, { port: 1, requested: false });
    const folder = command.startsWith('-') ? [] : ['--dir', paths.deviceFolder];
    const seen = await observe(onTestFinished, [command, ...folder]);
    expect(seen).toMatchObject({ status: 0, syncs: 0 });
    expect(seen.bytes).toBeLessThanOrEqual(limit);
  });

  it('start: at most 572 kB', async ({ expect, onTestFinished }) => {
    const { paths } = await makeDeviceFolder(onTestFinished, { port: 1, requested: false });
    const args = ['start', '--log-format', 'json', '--dir', paths.deviceFolder];
    const seen = await observe(onTestFinished, args, /session\./);
    expect(seen.status).toBe(0);
    expect(seen.bytes).toBeLessThanOrEqual(572 * KB);
  });
});
