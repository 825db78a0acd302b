import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { DevicePaths } from '../../../src/device/paths.ts';
import type { SimulatorEvent } from '../../../src/simulator/events.ts';
import type { SimulatorOptions } from '../../../src/simulator/simulator.ts';
import { readSnapshot } from '../../../src/state/snapshotFile.ts';
import { runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import { OLD_CONFIG } from '../../support/deviceFiles.ts';
import { makeDeviceFolder } from '../../support/deviceFolder.ts';
import type { Intrusion } from '../../support/intrusion.ts';
import { configuredDevice } from '../../support/provisionedDevice.ts';
import { expectFailureReport, expectNoSecrets, expectProvisioned } from '../../support/runChecks.ts';
import { startServer, watchEvents } from '../../support/server.ts';

type Signal = 'SIGTERM' | 'SIGINT';
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** More than the two seconds that the agent waits for a running durable write. */
const END_LIMIT_MS = 3000;

interface Moment {
  readonly name: string;
  /** The state in the log at the signal. */
  readonly state: string | null;
  /** A file-system call of the agent: the signal comes right before or after the call. */
  readonly at?: Omit<Intrusion, 'act'>;
  /** An event of the server. */
  readonly seen?: { readonly type: SimulatorEvent['type']; readonly nth: number };
  /** Event of a log line. */
  readonly logged?: string;
  readonly server?: SimulatorOptions;
}

const LOST = { on: 'request', nth: 1, action: 'dropAnswerAndClose' } as const;
const UNAVAILABLE = { on: 'provisionConnect', nth: 1, action: 'refuse', code: 3 } as const;

const MOMENTS: readonly Moment[] = [
  { name: 'before the run', state: null, at: { call: 'stat', path: '/provision.txt' } },
  { name: 'detect', state: 'detect', at: { call: 'stat', path: '/provision.txt', nth: 2 } },
  { name: 'validate', state: 'validate', at: { call: 'open', path: '/provision.json' } },
  { name: 'prepare', state: 'prepare', at: { call: 'open', path: '/credentials.json.tmp' } },
  { name: 'request, before sending', state: 'request', at: { call: 'open', path: '/provision.json', nth: 3 } },
  { name: 'request, unanswered', state: 'request', seen: { type: 'request', nth: 1 }, server: { latencyMs: 400 } },
  {
    name: 'request, committed later',
    state: 'request',
    seen: { type: 'request', nth: 1 },
    server: { commitDelayMs: 500 },
  },
  { name: 'request, credentials stored', state: 'request', at: { call: 'rename', path: '/credentials.json', nth: 2 } },
  { name: 'backoff', state: 'backoff', logged: 'backoff.waiting', server: { faults: [UNAVAILABLE] } },
  {
    name: 'reconcile',
    state: 'reconcile',
    seen: { type: 'connect', nth: 2 },
    server: { faults: [LOST, { on: 'deviceConnect', nth: 1, action: 'stallConnack' }] },
  },
  {
    name: 'verifyCredentials',
    state: 'verifyCredentials',
    seen: { type: 'attributeRequest', nth: 1 },
    server: { faults: [{ on: 'attributeRequest', nth: 1, action: 'delay', ms: 400 }] },
  },
  { name: 'backup', state: 'backup', at: { call: 'open', path: 'Z.tmp' } },
  { name: 'backup, renamed', state: 'backup', at: { call: 'rename', path: 'Z', after: true } },
  { name: 'write', state: 'write', at: { call: 'rename', path: '/thermal_config.json' } },
  { name: 'write, renamed', state: 'write', at: { call: 'rename', path: '/thermal_config.json', after: true } },
  { name: 'finalize', state: 'finalize', at: { call: 'rename', path: '/provision.txt.processed' } },
  {
    name: 'finalize, renamed',
    state: 'finalize',
    at: { call: 'rename', path: '/provision.txt.processed', after: true },
  },
];

/** Expects the complete old configuration or the complete new one. */
async function expectWholeConfig(paths: DevicePaths): Promise<void> {
  const text = await readFile(paths.thermalConfig, 'utf8');
  if (text !== OLD_CONFIG) expect((await configuredDevice(paths)).deviceId).toMatch(/^thermal-camera-[A-Z0-9]{6}$/);
}

describe.concurrent('an interruption is not a failure: status 75, and the next boot resumes', () => {
  const cases = MOMENTS.flatMap((moment) => SIGNALS.map((signal) => ({ ...moment, signal })));

  it.for(cases)('FR-010, SC-004: $signal in $name', async (given, { onTestFinished }) => {
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { ...given.server, onEvent: watch.onEvent });
    const { paths } = await makeDeviceFolder(onTestFinished, {
      port: server.port,
      provisioning: { timeout_seconds: 2, max_retries: 3 },
    });
    const { at, seen, logged, signal, state } = given;
    const intrusions = at === undefined ? [] : [{ ...at, act: { do: 'signal', signal } } as const];
    let sentAt = Number.POSITIVE_INFINITY;
    const agent = startAgent(onTestFinished, paths.deviceFolder, { intrusions });
    const send = (): void => {
      sentAt = performance.now();
      agent.child.kill(signal);
    };
    if (seen !== undefined) watch.when(seen.type, send, seen.nth);
    if (logged !== undefined) await agent.logged(logged).then(send);
    const end = await agent.ended;

    expect({ status: end.status, signal: end.signal }).toEqual({ status: 75, signal: null });
    expect(end.log.at(-1)).toMatchObject({ event: 'run.interrupted', level: 'warn', state });
    expect(end.log.some(({ event }) => event === 'run.failed')).toBe(false);
    expect(end.endedAt - Math.min(sentAt, end.endedAt)).toBeLessThan(END_LIMIT_MS);
    expect(server.registry.devices().length).toBeLessThanOrEqual(1);
    await expectWholeConfig(paths);
    await expectNoSecrets(paths, [end], [server]);
    const left = await readSnapshot(paths.snapshot);
    expect(left.kind === 'snapshot' ? left.snapshot.state : null).toBe(state);

    const next = await runAgentProcess(onTestFinished, paths.deviceFolder);
    await expectProvisioned(paths, next, server);
    const runIds = new Set([...end.log, ...next.log].flatMap(({ runId }) => runId ?? []));
    expect(runIds.size).toBe(state === null ? 2 : 1);
  });

  it.for(SIGNALS)('SC-004: %s after the end of the run changes nothing', async (signal, { onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const intrusions = [{ call: 'unlink', path: '/credentials.json', act: { do: 'signal', signal } }] as const;
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { intrusions });
    await expectProvisioned(paths, end, server);
  });

  it.for(SIGNALS)(
    'FR-010, SC-004: %s in restore: the backup is restored, the next boot gives the reason, the boot after it completes',
    async (signal, { onTestFinished }) => {
      const server = await startServer(onTestFinished);
      const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
      const intrusions = damagedWrite(paths, signal);
      const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { intrusions });
      expect(end).toMatchObject({ status: 75, signal: null });
      expect(end.log.at(-1)).toMatchObject({ event: 'run.interrupted', state: 'restore' });
      expect(await readFile(paths.thermalConfig, 'utf8')).toBe(OLD_CONFIG);

      const next = await runAgentProcess(onTestFinished, paths.deviceFolder);
      expectFailureReport(next, { code: 'CONFIG_NOT_WRITTEN', hint: /Check the storage/ });
      expect(await readFile(paths.thermalConfig, 'utf8')).toBe(OLD_CONFIG);
      await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
    },
  );
});

/** Another program damages the file right after the write; the signal comes during the restore. */
const damagedWrite = ({ thermalConfig }: DevicePaths, signal: Signal): readonly Intrusion[] => [
  { call: 'rename', path: '/thermal_config.json', after: true, act: { do: 'write', path: thermalConfig, text: '{' } },
  { call: 'open', path: '/thermal_config.json.tmp', nth: 2, act: { do: 'signal', signal } },
];

describe('an interrupted request', () => {
  it('FR-005, SC-002: its device is found by the token, and no request is sent again', async ({ onTestFinished }) => {
    const watch = watchEvents();
    const server = await startServer(onTestFinished, {
      onEvent: watch.onEvent,
      faults: [{ on: 'request', nth: 1, action: 'delay', ms: 5000 }],
    });
    const { paths } = await makeDeviceFolder(onTestFinished, {
      port: server.port,
      provisioning: { timeout_seconds: 9 },
    });
    const agent = startAgent(onTestFinished, paths.deviceFolder);
    watch.when('commit', () => agent.child.kill('SIGTERM'));
    const cut = await agent.ended;
    expect(cut.status).toBe(75);
    const generated = cut.log.find(({ event }) => event === 'candidate.drawn')?.deviceName;

    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    await expectProvisioned(paths, end, server);
    expect(end.log.map(({ event }) => event)).toContain('reconcile.accepted');
    expect((await configuredDevice(paths)).deviceId).toBe(generated);
    expect(server.registry.counts.provisionRequests).toBe(1);
  });
});
