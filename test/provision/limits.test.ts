import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { ProvisionState } from '../../machines/provision.states.ts';
import { cutIn, runDevice, scene } from '../support/agentRun.ts';
import { OLD_CONFIG } from '../support/deviceFiles.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';
import { replaceOnceWritten } from '../support/replaceOnceWritten.ts';

test('a run that takes too long ends itself, and the next start resumes it', async () => {
  const { simulator, paths } = await scene(
    { faults: [{ on: 'request', nth: 1, action: 'dropAnswer' }] },
    { provisioning: { timeout_seconds: 5 } },
  );
  const run = await runDevice(paths, { runTimeLimitMs: 500 });
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 69, failure: { code: 'RUN_TIME_LIMIT' } });
  // Where the run ended depends on the machine. That there is one device does not.
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('a run that is always interrupted at the same place ends after 20 resumes', async () => {
  const { simulator, paths } = await scene();
  await cutIn(paths, 'prepare');
  for (let resume = 1; resume <= 20; resume += 1) await cutIn(paths, 'prepare');
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 70, failure: { code: 'RESUME_LOOP' } });
  // The chart names code and facts. Log, snapshot and result have the texts.
  expect(run.failure?.message).toBe('The run was interrupted 20 times without progress');
  expect(run.of('run.failed').map(({ details }) => details.hint)).toEqual([run.failure?.hint]);
  const { context, error } = JSON.parse(await readFile(paths.snapshot, 'utf8'));
  expect(context.error).toEqual(run.failure);
  expect(error).toEqual({ code: 'RESUME_LOOP', message: run.failure?.message, hint: run.failure?.hint });
  expect(simulator.registry.counts.connects).toBe(0);
  expect((await runDevice(paths)).outcome).toBe('provisioned');
});

test('19 resumes are not too many', async () => {
  const { paths } = await scene();
  await cutIn(paths, 'prepare');
  for (let resume = 1; resume <= 19; resume += 1) await cutIn(paths, 'prepare');
  expect((await runDevice(paths)).outcome).toBe('provisioned');
});

test("no request is sent when the snapshot can't be written", async () => {
  const { simulator, paths } = await scene();
  // A folder in the place of the temporary file: an obstacle for root, too.
  const obstacle = `${paths.snapshot}.tmp`;
  const run = await runDevice(paths, { onState: (state) => state === 'prepare' && void mkdirSync(obstacle) });
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 74, failure: { code: 'DISK_ERROR' } });
  expect(run.of('snapshot.unsaved')).toHaveLength(1);
  expect(simulator.registry.counts.connects).toBe(0);
  // The name was never sent, and the disk answers.
  expect(existsSync(paths.credentials)).toBe(false);
  rmSync(obstacle, { recursive: true });
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test("the configuration is not changed when the snapshot can't be written", async () => {
  const { simulator, paths } = await scene();
  const obstacle = `${paths.snapshot}.tmp`;
  const run = await runDevice(paths, { onState: (state) => state === 'backup' && void mkdirSync(obstacle) });
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 74 });
  expect(await readFile(paths.thermalConfig, 'utf8')).toBe(OLD_CONFIG);
  rmSync(obstacle, { recursive: true });
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test("the next start finishes a run whose end can't be saved", async () => {
  const { simulator, paths } = await scene();
  const obstacle = `${paths.snapshot}.tmp`;
  const run = await runDevice(paths, { sink: ({ event }) => event === 'trigger.processed' && mkdirSync(obstacle) });
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 74, failure: { code: 'DISK_ERROR' } });
  rmSync(obstacle, { recursive: true });
  const next = await runDevice(paths);
  expect(next).toMatchObject({ outcome: 'provisioned', states: ['finalize', 'provisioned'] });
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test("credentials.json can't be removed: a warning, and the next start removes it", async () => {
  const { simulator, paths } = await scene();
  const run = await runDevice(paths, {
    sink: ({ event }) => {
      if (event !== 'trigger.processed') return;
      rmSync(paths.credentials);
      mkdirSync(paths.credentials);
    },
  });
  expect(run).toMatchObject({ outcome: 'provisioned', exitStatus: 0 });
  expect(run.of('credentials.left')).toHaveLength(1);
  await rm(paths.credentials, { recursive: true });
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('credentials.json disappears during a run', async () => {
  const { paths } = await scene();
  const run = await runDevice(paths, {
    onState: (state) => state === 'verifyCredentials' && rmSync(paths.credentials),
  });
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 70, failure: { code: 'CREDENTIALS_LOST' } });
  expect(await readFile(paths.thermalConfig, 'utf8')).toBe(OLD_CONFIG);
});

test('another program changes thermal_config.json once: its change survives, and has a backup', async () => {
  const { simulator, paths } = await scene();
  const changed = OLD_CONFIG.replace('"interval_seconds": 15', '"interval_seconds": 30');
  let changes = 0;
  const run = await runDevice(paths, {
    onState: (state) => {
      if (state !== 'write' || changes > 0) return;
      changes += 1;
      writeFileSync(paths.thermalConfig, changed);
    },
  });
  expect(run.outcome).toBe('provisioned');
  expect(run.states.filter((state) => state === 'backup')).toHaveLength(2);
  expect(await readFile(paths.thermalConfig, 'utf8')).toContain('"interval_seconds": 30');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('another program changes it each time: the run fails after three rounds', async () => {
  const { paths } = await scene();
  const entered: ProvisionState[] = [];
  const run = await runDevice(paths, {
    onState: (state) => {
      if (state !== 'write') return;
      entered.push(state);
      writeFileSync(
        paths.thermalConfig,
        OLD_CONFIG.replace('"interval_seconds": 15', `"interval_seconds": ${entered.length}`),
      );
    },
  });
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 75, failure: { code: 'CONFIG_KEEPS_CHANGING' } });
  expect(entered).toHaveLength(3);
  expect(await readFile(paths.thermalConfig, 'utf8')).toContain('"interval_seconds": 3');
});

test("the written file can't be read back: the backup is put back, and the next start provisions", async () => {
  const { simulator, paths } = await scene();
  let stop = (): void => {};
  const run = await runDevice(paths, {
    onState: (state) => {
      if (state === 'write') stop = replaceOnceWritten(paths.thermalConfig, '{ "half a conf');
      if (state === 'restore') stop();
    },
  });
  expect(run).toMatchObject({ outcome: 'failed', exitStatus: 74, failure: { code: 'CONFIG_NOT_WRITTEN' } });
  expect(run.states.slice(-3)).toEqual(['write', 'restore', 'failed']);
  expect(await readFile(paths.thermalConfig, 'utf8')).toBe(OLD_CONFIG);
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});
