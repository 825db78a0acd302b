import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { FailureCode } from '../../../src/failures/catalogue.ts';
import type { Fault } from '../../../src/simulator/faults.ts';
import { runAgentProcess } from '../../support/agentProcess.ts';
import { runDevice } from '../../support/agentRun.ts';
import { makeDeviceFolder } from '../../support/deviceFolder.ts';
import { configuredDevice } from '../../support/provisionedDevice.ts';
import { expectFailed, expectProvisioned } from '../../support/runChecks.ts';
import { startServer } from '../../support/server.ts';

interface Trouble {
  readonly name: string;
  readonly fault: Fault;
}

/** Faults that leave a device on the server without a usable answer. The next step must find the device. */
const SURVIVED: readonly Trouble[] = [
  { name: 'the answer lost, then a close', fault: { on: 'request', nth: 1, action: 'dropAnswerAndClose' } },
  { name: 'the answer lost in silence', fault: { on: 'request', nth: 1, action: 'dropAnswer' } },
  { name: 'PUBACK without an answer', fault: { on: 'request', nth: 1, action: 'pubackOnly' } },
  { name: 'a malformed answer', fault: { on: 'request', nth: 1, action: 'malformedAnswer' } },
  { name: 'an answer that is not JSON', fault: { on: 'request', nth: 1, action: 'answer', payload: '\x00\xff{' } },
  { name: 'an empty answer', fault: { on: 'request', nth: 1, action: 'answer', payload: '' } },
  {
    name: 'an answer with an unknown status',
    fault: { on: 'request', nth: 1, action: 'answer', payload: '{"status":"MAYBE"}' },
  },
  {
    name: 'SUCCESS with empty credentials',
    fault: {
      on: 'request',
      nth: 1,
      action: 'answer',
      payload: '{"credentialsValue":"","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}',
    },
  },
  {
    name: 'SUCCESS without credentials',
    fault: { on: 'request', nth: 1, action: 'answer', payload: '{"status":"SUCCESS"}' },
  },
  {
    name: 'an answer of 64 kB',
    fault: { on: 'request', nth: 1, action: 'answer', payload: `{"status":"SUCCESS","x":"${'x'.repeat(64_000)}"}` },
  },
  { name: 'the answer twice', fault: { on: 'request', nth: 1, action: 'duplicateAnswer' } },
  { name: 'the answer on another topic', fault: { on: 'request', nth: 1, action: 'answerOnOtherTopic' } },
  { name: 'the answer too late', fault: { on: 'request', nth: 1, action: 'delay', ms: 1300 } },
  { name: 'the answer late, but in time', fault: { on: 'request', nth: 1, action: 'delay', ms: 500 } },
  { name: 'the answer, then a close', fault: { on: 'request', nth: 1, action: 'answerThenClose' } },
  { name: 'the credentials refused once', fault: { on: 'deviceConnect', nth: 1, action: 'refuse', code: 5 } },
  { name: 'no answer for attributes', fault: { on: 'attributeRequest', nth: 1, action: 'silence' } },
];

/** Faults that need one retry. */
const RETRIED: readonly Trouble[] = [
  { name: 'a close after CONNECT', fault: { on: 'provisionConnect', nth: 1, action: 'close' } },
  { name: 'no CONNACK', fault: { on: 'provisionConnect', nth: 1, action: 'stallConnack' } },
  { name: 'a close after CONNACK', fault: { on: 'provisionConnect', nth: 1, action: 'acceptThenClose' } },
  { name: 'a close after the request', fault: { on: 'request', nth: 1, action: 'close' } },
  { name: 'silence after the request', fault: { on: 'request', nth: 1, action: 'silence' } },
  { name: 'a failing back end', fault: { on: 'request', nth: 1, action: 'silenceThenPubackAndClose', ms: 200 } },
  { name: "a close of the device's connection", fault: { on: 'deviceConnect', nth: 1, action: 'close' } },
  { name: "a close after the device's CONNACK", fault: { on: 'deviceConnect', nth: 1, action: 'acceptThenClose' } },
  { name: "the device's connection not available", fault: { on: 'deviceConnect', nth: 1, action: 'refuse', code: 3 } },
  { name: "a close after the device's question", fault: { on: 'attributeRequest', nth: 1, action: 'close' } },
];

describe.concurrent('FR-012, SC-002, SC-004: after any fault there is one device, and the camera has its token', () => {
  it.for([
    ...SURVIVED.map((trouble) => ({ ...trouble, retries: 0 })),
    ...RETRIED.map((trouble) => ({ ...trouble, retries: 1 })),
  ])('$name, $retries retries', async ({ fault, retries }, { onTestFinished }) => {
    const server = await startServer(onTestFinished, { faults: [fault] });
    const { paths } = await makeDeviceFolder(onTestFinished, {
      port: server.port,
      provisioning: { max_retries: retries },
    });
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    await expectProvisioned(paths, end, server);
    expect(server.registry.counts.faults).toBeGreaterThan(0);
  });
});

interface Refusal {
  readonly name: string;
  readonly code: FailureCode;
  readonly faults?: readonly Fault[];
  readonly hint?: RegExp;
  /** The wrong keys of section `provisioning`. */
  readonly provisioning?: Readonly<Record<string, unknown>>;
  readonly device?: Readonly<Record<string, unknown>>;
  readonly server?: Parameters<typeof startServer>[1];
}

const LWM2M = '{"credentialsType":"LWM2M_CREDENTIALS","status":"SUCCESS"}';
const CHECK = { strategy: 'CHECK_PRE_PROVISIONED_DEVICES', devices: [{ name: 'cam-1' }], reprovision: true } as const;

const REFUSALS: readonly Refusal[] = [
  { name: 'a wrong key', code: 'PROVISION_KEY_REFUSED', provisioning: { device_key: 'some-other-key' } },
  { name: 'a wrong secret', code: 'PROVISION_KEY_REFUSED', provisioning: { device_secret: 'some-other-secret' } },
  {
    name: 'a server that does not know the user "provision"',
    code: 'CONNECTION_NOT_ACCEPTED',
    faults: [{ on: 'provisionConnect', nth: 1, action: 'refuse', code: 5 }],
  },
  {
    name: 'an unavailable server',
    code: 'SERVER_UNAVAILABLE',
    faults: [{ on: 'provisionConnect', nth: 1, action: 'refuse', code: 3 }],
  },
  {
    name: 'credentials of another type',
    code: 'CREDENTIALS_TYPE_UNSUPPORTED',
    faults: [{ on: 'request', nth: 1, action: 'answer', payload: LWM2M }],
  },
  {
    name: 'issued credentials that are always refused',
    code: 'CREDENTIALS_REFUSED',
    hint: /still exists and whether its credentials were changed/,
    faults: [1, 2, 3].map((nth) => ({ on: 'deviceConnect', nth, action: 'refuse', code: 5 })),
  },
  {
    name: "a malformed answer with the server's credentials",
    code: 'ANSWER_INVALID',
    server: CHECK,
    device: { name: 'cam-1' },
    faults: [{ on: 'request', nth: 1, action: 'malformedAnswer' }],
  },
];

describe.concurrent('FR-010, SC-004, P2.1: a refusal of the server changes nothing', () => {
  it.for(REFUSALS)('$name: $code; repaired, the next boot completes', async (refusal, { onTestFinished }) => {
    const server = await startServer(onTestFinished, { ...refusal.server, faults: refusal.faults ?? [] });
    const device = await makeDeviceFolder(onTestFinished, {
      port: server.port,
      ...(refusal.provisioning === undefined ? {} : { provisioning: refusal.provisioning }),
      ...(refusal.device === undefined ? {} : { device: refusal.device }),
    });
    const { paths } = device;
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    const { code, hint } = refusal;
    await expectFailed(device, end, { code, server, ...(hint === undefined ? {} : { hint }) });

    const good = await makeDeviceFolder(onTestFinished, {
      port: server.port,
      ...(refusal.device === undefined ? {} : { device: refusal.device }),
    });
    await writeFile(paths.provisionJson, good.provisionJson);
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
  });

  it("a lost answer with the server's credentials, which the server sends only once: says what to delete", async ({
    onTestFinished,
  }) => {
    const server = await startServer(onTestFinished, {
      strategy: 'CHECK_PRE_PROVISIONED_DEVICES',
      devices: [{ name: 'cam-1' }],
      faults: [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }],
    });
    const device = await makeDeviceFolder(onTestFinished, { port: server.port, device: { name: 'cam-1' } });
    const { paths } = device;
    const lost = await runAgentProcess(onTestFinished, paths.deviceFolder);
    await expectFailed(device, lost, { code: 'CONNECTION_LOST', server });
    // The agent waits until the lost request can't succeed any more. In this process the wait takes no time.
    const run = await runDevice(paths);
    expect(run).toMatchObject({ outcome: 'failed', exitStatus: 78, failure: { code: 'DEVICE_NAME_TAKEN' } });
    expect(run.failure?.hint).toMatch(/delete the server attribute provisionState of cam-1/);
    expect(await readFile(paths.thermalConfig, 'utf8')).toContain('token-of-the-old-device');

    server.registry.deleteProvisionState('cam-1');
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
    expect((await configuredDevice(paths)).deviceId).toBe('cam-1');
  });
});
