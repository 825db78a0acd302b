import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DevicePaths } from '../../../src/device/paths.ts';
import type { Simulator } from '../../../src/simulator/simulator.ts';
import { type AgentEnd, runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import { makeNamespace, namespaceProblem } from '../../support/networkNamespace.ts';
import { configuredDevice } from '../../support/provisionedDevice.ts';
import { expectProvisioned } from '../../support/runChecks.ts';
import { startServer, watchEvents } from '../../support/server.ts';

const problem = namespaceProblem();
if (problem !== undefined) console.warn(`test/proofs/process/namespaces.test.ts is skipped: ${problem}`);

/** Answers every query for an IPv4 address with this address (RFC 1035), and other queries with an empty answer. */
const NAME_SERVER = `
import { createSocket } from 'node:dgram';
const address = process.argv[2].split('.').map(Number);
const socket = createSocket('udp4');
socket.on('message', (question, from) => {
  const end = question.indexOf(0, 12) + 5;
  const isA = question.readUInt16BE(end - 4) === 1;
  const header = Buffer.from([question[0], question[1], 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0]);
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...address]);
  socket.send(Buffer.concat([header, question.subarray(12, end), ...(isA ? [answer] : [])]), from.port, from.address);
});
socket.bind(53, process.argv[3]);
`;

function startIn(atEnd: AtEnd, [program, ...args]: readonly [string, ...string[]], script: string): ChildProcess {
  const child = spawn(program, [...args, process.execPath, ...script.split(' ')], { stdio: 'inherit' });
  atEnd(() => void child.kill('SIGKILL'));
  return child;
}

/** Like `expectProvisioned`, for a server whose name only the agent can resolve. */
async function expectOneDevice(paths: DevicePaths, end: AgentEnd, server: Simulator): Promise<void> {
  expect({ status: end.status, signal: end.signal }).toEqual({ status: 0, signal: null });
  const { deviceId, token } = await configuredDevice(paths);
  expect(server.registry.devices()).toMatchObject([{ name: deviceId, token }]);
  expect(server.registry.counts.provisionRequests).toBe(1);
}

describe.skipIf(problem !== undefined).concurrent("the agent's own network", () => {
  it.for([
    { name: 'IPv4, the first one dead', hosts: ['deadV4', 'serverV4'], server: 'serverV4' },
    { name: 'IPv6, the first one dead', hosts: ['deadV6', 'serverV6'], server: 'serverV6' },
    { name: 'IPv6 dead, IPv4 alive', hosts: ['deadV6', 'serverV4'], server: 'serverV4' },
  ] as const)('several addresses of the host: $name: the first request succeeds', async (given, { onTestFinished }) => {
    const network = makeNamespace(onTestFinished);
    const server = await startServer(onTestFinished, { host: network[given.server] });
    network.setHosts(given.hosts.map((address) => [network[address], 'tb.test']));
    const provisioning = { host: 'tb.test', timeout_seconds: 10 };
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning });
    const { wrapper } = network;
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { wrapper, limitMs: 40_000 });
    expect(end.log.map(({ event }) => event)).not.toContain('backoff.waiting');
    await expectOneDevice(paths, end, server);
  });

  it('a literal IPv6 address', async ({ onTestFinished }) => {
    const { wrapper, serverV6 } = makeNamespace(onTestFinished);
    const server = await startServer(onTestFinished, { host: serverV6 });
    const provisioning = { host: serverV6 };
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning });
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder, { wrapper }), server);
  });

  it('a name server that starts late: retried, then provisioned', async ({ onTestFinished }) => {
    const network = makeNamespace(onTestFinished);
    network.setNameServer('127.0.0.1');
    const server = await startServer(onTestFinished, { host: network.serverV4 });
    const provisioning = { host: 'tb.test', max_retries: 5 };
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning });
    const script = join(await makeFolder(onTestFinished), 'nameServer.mjs');
    await writeFile(script, NAME_SERVER);
    const { wrapper } = network;
    const agent = startAgent(onTestFinished, paths.deviceFolder, { wrapper, limitMs: 60_000 });
    expect(await agent.logged('backoff.waiting')).toMatchObject({ code: 'HOST_NOT_FOUND', ms: 1000 });
    startIn(onTestFinished, wrapper, `${script} ${network.serverV4} 127.0.0.1`);
    await expectOneDevice(paths, await agent.ended, server);
  });

  it('a link that is up late: retried, then provisioned', async ({ onTestFinished }) => {
    const network = makeNamespace(onTestFinished);
    network.link('down');
    const server = await startServer(onTestFinished, { host: network.serverV4 });
    const provisioning = { host: network.serverV4, max_retries: 5 };
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning });
    const { wrapper } = network;
    const agent = startAgent(onTestFinished, paths.deviceFolder, { wrapper, limitMs: 60_000 });
    expect(await agent.logged('backoff.waiting')).toMatchObject({ code: 'HOST_UNREACHABLE' });
    network.link('up');
    await expectProvisioned(paths, await agent.ended, server);
  });

  it('a link that fails between request and answer: the device is found and exists once', async ({
    onTestFinished,
  }) => {
    const network = makeNamespace(onTestFinished);
    const watch = watchEvents();
    const server = await startServer(onTestFinished, {
      host: network.serverV4,
      latencyMs: 300,
      onEvent: watch.onEvent,
    });
    watch.when('request', () => network.link('down'));
    const provisioning = { host: network.serverV4, max_retries: 5 };
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning });
    const { wrapper } = network;
    const agent = startAgent(onTestFinished, paths.deviceFolder, { wrapper, limitMs: 60_000 });
    await agent.logged('request.unknown');
    await agent.logged('backoff.waiting');
    network.link('up');
    const end = await agent.ended;
    expect(end.log.map(({ event }) => event)).toContain('reconcile.accepted');
    expect(server.registry.counts.provisionRequests).toBe(1);
    await expectProvisioned(paths, end, server);
  });
});
