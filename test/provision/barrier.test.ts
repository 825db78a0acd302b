import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AnyActor, createActor, fromPromise, toPromise } from 'xstate';
import { provisionMachine } from '../../machines/provision.machine.ts';
import { ACTIVE_STATES, STATES } from '../../machines/provision.states.ts';
import type { EffectContracts, EffectName } from '../../machines/provision.types.ts';
import { readProvisionJson } from '../../src/config/provision/provisionJson.ts';
import { settingsDigest } from '../../src/config/provision/settingsDigest.ts';
import { triggerIdentity } from '../../src/device/trigger.ts';
import { type Barrier, createEffects, type Effects } from '../../src/effects/index.ts';
import { prepare } from '../../src/effects/prepare.ts';
import { Failure } from '../../src/failures/failure.ts';
import { fileExists } from '../../src/files/fileExists.ts';
import { createLog, silentLog } from '../../src/log/log.ts';
import { openSnapshotWriter } from '../../src/provision/snapshotWriter.ts';
import { Secret } from '../../src/secret.ts';
import { readCredentials, writeCredentials } from '../../src/state/credentials.ts';
import { snapshotSchema } from '../../src/state/snapshotDocument.ts';
import { accessToken } from '../support/accessToken.ts';
import { deviceFolderFor, serverOfTest } from '../support/agentRun.ts';
import { effectCall, effectScene } from '../support/effectCall.ts';
import { watchEvents } from '../support/server.ts';

const BACKUP = 'thermal_config.json.backup.20261123T100000.000Z';
const RUN = 'run-1';
/** More than enough for a connection on loopback or a write, if the effect had started. */
const MOMENT_MS = 60;

/** A device during a run: a name is generated, credentials are issued, the configuration is backed up. */
async function deviceScene() {
  const watch = watchEvents();
  const simulator = await serverOfTest({ onEvent: watch.onEvent });
  const paths = await deviceFolderFor(simulator.port);
  const { dependencies } = await effectScene(paths);
  await writeFile(join(paths.deviceFolder, BACKUP), await readFile(paths.thermalConfig));
  await mkdir(paths.stateFolder, { mode: 0o700 });
  const digest = settingsDigest((await readProvisionJson(paths.provisionJson)).settings);
  await prepare(dependencies, effectCall({ runId: RUN, settingsDigest: digest, nameIndex: 1, startedOver: false }));
  const stored = await readCredentials(paths.credentials, silentLog, 0);
  if (stored === undefined) throw new Error('nothing is prepared');
  const granted = { deviceName: 'camera', credentials: accessToken('granted-token'), successSeenBy: RUN };
  const candidates = stored.candidates.map((candidate) => ({ ...candidate, name: 'camera' }));
  await writeCredentials(paths.credentials, { ...stored, candidates, granted });
  return { watch, simulator, paths, dependencies, digest };
}
type DeviceScene = Awaited<ReturnType<typeof deviceScene>>;

/** An effect behind the barrier, and the visible sign that it has started. */
interface Guarded {
  readonly name: EffectName;
  actor(effects: Effects, device: DeviceScene): Promise<AnyActor>;
  hasBegun(device: DeviceScene): Promise<boolean>;
}

const textOf = (path: string): Promise<string> => readFile(path, 'utf8');

const GUARDED: readonly Guarded[] = [
  {
    name: 'request',
    actor: async ({ actors }, { digest }) =>
      createActor(actors.request, { input: { runId: RUN, settingsDigest: digest, nameIndex: 1, unanswered: false } }),
    hasBegun: async ({ watch }) => watch.events.length > 0,
  },
  {
    name: 'write',
    actor: async ({ actors }, { simulator }) => {
      const server = { host: '127.0.0.1', port: simulator.port, useSsl: false, caFile: null };
      const fingerprint = new Secret('granted-token').fingerprint();
      return createActor(actors.write, {
        input: { runId: RUN, server, deviceName: 'camera', fingerprint, backup: BACKUP },
      });
    },
    hasBegun: async ({ paths }) => (await textOf(paths.thermalConfig)).includes('granted-token'),
  },
  {
    name: 'restore',
    actor: async ({ actors }, { paths }) => {
      await writeFile(paths.thermalConfig, 'half-writ');
      return createActor(actors.restore, { input: { backup: BACKUP } });
    },
    hasBegun: async ({ paths }) => (await textOf(paths.thermalConfig)) !== 'half-writ',
  },
  {
    name: 'finalize',
    actor: async ({ actors }, { paths }) =>
      createActor(actors.finalize, { input: { trigger: await triggerIdentity(paths.provisionTxt) } }),
    hasBegun: ({ paths }) => fileExists(paths.provisionTxtProcessed),
  },
];

/** A snapshot writer whose write lasts until the test ends it. */
function gate(): { barrier: Barrier; open(): void; fail(error: unknown): void } {
  let open = (): void => {};
  let fail = (_error: unknown): void => {};
  const durable = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { barrier: { durable: () => durable }, open: () => open(), fail: (error) => fail(error) };
}

it('every effect that the table of states puts behind the barrier is tested here', () => {
  const guarded = ACTIVE_STATES.filter((state) => STATES[state].effect === 'afterBarrier');
  expect(GUARDED.map(({ name }) => name)).toEqual(guarded);
});

describe.each(GUARDED)("$name, which can't be repeated without harm", ({ actor: actorFor, hasBegun }) => {
  it('waits until its state is durable', async () => {
    const device = await deviceScene();
    const { barrier, open } = gate();
    const actor = await actorFor(createEffects(device.dependencies, barrier), device);
    const ended = toPromise(actor.start());
    await delay(MOMENT_MS);
    expect(await hasBegun(device)).toBe(false);
    open();
    await ended;
    expect(await hasBegun(device)).toBe(true);
  });

  it("does not start when the state can't be saved, and reports why", async () => {
    const device = await deviceScene();
    const { barrier, fail } = gate();
    const actor = await actorFor(createEffects(device.dependencies, barrier), device);
    const ended = toPromise(actor.start());
    fail(new Failure('DISK_FULL', 'operation', { doing: 'write the snapshot', errno: 'ENOSPC' }));
    await expect(ended).rejects.toMatchObject({ failure: { code: 'DISK_FULL' }, at: expect.any(Number) });
    expect(await hasBegun(device)).toBe(false);
  });

  it('does not start when the run was stopped during the wait', async () => {
    const device = await deviceScene();
    const { barrier, open } = gate();
    const effects = createEffects(device.dependencies, barrier);
    const actor = await actorFor(effects, device);
    actor.start();
    actor.stop();
    open();
    await effects.settled();
    await delay(MOMENT_MS);
    expect(await hasBegun(device)).toBe(false);
  });
});

/** The events that an effect logs once it has acted. */
const ACTED: Readonly<Record<string, EffectName>> = {
  'request.sent': 'request',
  'config.written': 'write',
  'config.restored': 'restore',
  'trigger.processed': 'finalize',
};

/** A whole run with a slow snapshot writer. @returns the snapshot on disk each time an effect had acted */
async function runWithSlowWriter(slowness: number, outcome?: EffectContracts['write']['output']['outcome']) {
  const simulator = await serverOfTest();
  const paths = await deviceFolderFor(simulator.port);
  const { dependencies } = await effectScene(paths);
  await mkdir(paths.stateFolder, { mode: 0o700 });
  const seen: { acted: EffectName; onDisk: string; requestsOut: number }[] = [];
  const look = (event: string): void => {
    const acted = ACTED[event];
    if (acted === undefined) return;
    const { state, context } = snapshotSchema.parse(JSON.parse(readFileSync(paths.snapshot, 'utf8')));
    seen.push({ acted, onDisk: state, requestsOut: context.requestsOut });
  };
  const position = { runId: null, state: null, attempt: null };
  const log = createLog(({ event }) => look(event), dependencies.clock, position);
  const writer = openSnapshotWriter({
    path: paths.snapshot,
    clock: dependencies.clock,
    agentVersion: '1.0.0',
    previous: undefined,
  });
  onTestFinished(() => writer.close());
  const barrier: Barrier = {
    durable: async () => {
      const saved = writer.durable();
      await delay(slowness);
      await saved;
    },
  };
  const { actors } = createEffects({ ...dependencies, log }, barrier);
  const spoilt = fromPromise<EffectContracts['write']['output'], EffectContracts['write']['input']>(async () => ({
    outcome: outcome ?? 'written',
    at: dependencies.clock.now(),
  }));
  const machine = provisionMachine.provide({
    actors: { ...actors, ...(outcome === undefined ? {} : { write: spoilt }) },
  });
  const actor = createActor(machine, { input: { runId: RUN, at: dependencies.clock.now(), knownStrategy: null } });
  actor.subscribe(({ value, context }) => {
    if (value !== 'route') writer.record(value, { ...context, error: null });
  });
  await toPromise(actor.start());
  return { seen, state: actor.getSnapshot().value };
}

describe('in a whole run', () => {
  it.each([0, 1, 20])(
    'each state is durable before its effect acts, with a snapshot writer that needs %i ms more',
    async (ms) => {
      const { seen, state } = await runWithSlowWriter(ms);
      expect(state).toBe('provisioned');
      expect(seen).toEqual([
        { acted: 'request', onDisk: 'request', requestsOut: 1 },
        { acted: 'write', onDisk: 'write', requestsOut: 1 },
        { acted: 'finalize', onDisk: 'finalize', requestsOut: 1 },
      ]);
    },
  );

  it('restore is durable before it puts the backup back', async () => {
    const { seen, state } = await runWithSlowWriter(1, 'unusable');
    expect(state).toBe('failed');
    expect(seen.at(-1)).toEqual({ acted: 'restore', onDisk: 'restore', requestsOut: 1 });
  });
});
