import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { FailureCode } from '../../../src/failures/catalogue.ts';
import { runAgentProcess } from '../../support/agentProcess.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { startBlackHole } from '../../support/blackHole.ts';
import { makeDeviceFolder, quickProvisionJson } from '../../support/deviceFolder.ts';
import { expectFailed, expectProvisioned } from '../../support/runChecks.ts';
import { startServer } from '../../support/server.ts';
import {
  closedPort,
  startClosingServer,
  startHttpServer,
  startPlainBroker,
  startSilentServer,
  startTalkingServer,
} from '../../support/strangeServers.ts';

interface Nowhere {
  readonly name: string;
  readonly code: FailureCode;
  /** A port of 127.0.0.1, unless a host is given. */
  readonly port?: (atEnd: AtEnd) => Promise<number>;
  readonly host?: string;
  readonly hint?: RegExp;
}

const NOWHERE: readonly Nowhere[] = [
  { name: "a host name that can't be resolved", code: 'HOST_NOT_FOUND', host: 'no-such-host.invalid' },
  // RFC 1122, section 3.2.1.3: no TCP connection can be made to a broadcast address.
  { name: 'a host without a route', code: 'HOST_UNREACHABLE', host: '255.255.255.255' },
  { name: 'a port where nothing listens', code: 'CONNECTION_REFUSED', port: closedPort },
  { name: 'a black hole', code: 'CONNECT_TIMEOUT', port: startBlackHole },
  { name: 'a server that accepts and sends nothing', code: 'ANSWER_TIMEOUT', port: startSilentServer },
  {
    name: 'a server that closes at once',
    code: 'CONNECTION_LOST',
    hint: /a TLS port closes/,
    port: startClosingServer,
  },
  { name: 'an HTTP server', code: 'NOT_MQTT', hint: /^A web server, a proxy/, port: startHttpServer },
  { name: 'an SSH server', code: 'NOT_MQTT', port: (atEnd) => startTalkingServer(atEnd, 'SSH-2.0-OpenSSH_9.2\r\n') },
  {
    name: 'a server that sends without end',
    code: 'NOT_MQTT',
    port: (atEnd) => startTalkingServer(atEnd, 'x'.repeat(300_000)),
  },
  { name: 'a plain MQTT broker', code: 'NOT_THINGSBOARD', port: startPlainBroker },
];

describe.concurrent('FR-011, SC-004, P2.2: no ThingsBoard at the address in provision.json', () => {
  it.for(NOWHERE)(
    '$name: $code, and the next boot completes with the right server',
    async (nowhere, { onTestFinished }) => {
      const port = (await nowhere.port?.(onTestFinished)) ?? 1883;
      const provisioning = nowhere.host === undefined ? {} : { host: nowhere.host };
      const device = await makeDeviceFolder(onTestFinished, { port, provisioning });
      const end = await runAgentProcess(onTestFinished, device.paths.deviceFolder);
      const { code, hint } = nowhere;
      await expectFailed(device, end, { code, ...(hint === undefined ? {} : { hint }) });

      const server = await startServer(onTestFinished);
      await writeFile(device.paths.provisionJson, quickProvisionJson({ port: server.port }));
      await expectProvisioned(device.paths, await runAgentProcess(onTestFinished, device.paths.deviceFolder), server);
    },
  );

  it('FR-011: a plain broker gets no key and no token a second time during the retries', async ({ onTestFinished }) => {
    const port = await startPlainBroker(onTestFinished);
    const device = await makeDeviceFolder(onTestFinished, { port, provisioning: { max_retries: 1 } });
    const end = await runAgentProcess(onTestFinished, device.paths.deviceFolder);
    await expectFailed(device, end, { code: 'NOT_THINGSBOARD' });
    expect(end.log.filter(({ event }) => event === 'request.sent')).toHaveLength(1);
  });

  it('FR-011: pauses of 1 s and 2 s until the server is up, each one logged; then the run continues', async ({
    onTestFinished,
  }) => {
    const server = await startServer(onTestFinished, {
      faults: [
        { on: 'provisionConnect', nth: 1, action: 'close' },
        { on: 'provisionConnect', nth: 2, action: 'refuse', code: 3 },
      ],
    });
    const device = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning: { max_retries: 2 } });
    const end = await runAgentProcess(onTestFinished, device.paths.deviceFolder);
    await expectProvisioned(device.paths, end, server);
    const pauses = end.log.filter(({ event }) => event === 'backoff.waiting');
    expect(pauses.map(({ ms, code }) => [ms, code])).toEqual([
      [1000, 'CONNECTION_LOST'],
      [2000, 'SERVER_UNAVAILABLE'],
    ]);
  });
});
