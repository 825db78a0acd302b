import { rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { fileExists } from '../../src/files/fileExists.ts';
import { runDevice, scene } from '../support/agentRun.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';

async function editProvisionJson(path: string, from: string, to: string): Promise<void> {
  await writeFile(path, (await readFile(path, 'utf8')).replace(from, to));
}

test('a name is forgotten when the server refused the key: the next run does not probe for it', async () => {
  const { simulator, paths } = await scene({ deviceKey: 'a-key' }, { provisioning: { device_key: 'a-wrong-key' } });
  const refused = await runDevice(paths);
  expect(refused.failure?.code).toBe('PROVISION_KEY_REFUSED');
  expect(await fileExists(paths.credentials)).toBe(false);

  await editProvisionJson(paths.provisionJson, 'a-wrong-key', 'a-key');
  const run = await runDevice(paths);
  expect(run.outcome).toBe('provisioned');
  expect(run.states).not.toContain('reconcile');
  expect(run.text).not.toContain('may exist');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('a name that an earlier run may have sent is kept, also when this run fails', async () => {
  const faults = [{ on: 'request', nth: 1, action: 'dropAnswer' }] as const;
  const { simulator, paths } = await scene({ faults }, { provisioning: { timeout_seconds: 1, max_retries: 0 } });
  await runDevice(paths, { interruptIn: 'reconcile' });
  const key = await readFile(paths.provisionJson);
  await writeFile(paths.provisionJson, 'no JSON');
  // A new run: the state of the interrupted run is gone.
  await writeFile(paths.snapshot, 'damaged');
  expect((await runDevice(paths)).failure?.code).toBe('PROVISION_JSON_INVALID');
  expect(await fileExists(paths.credentials)).toBe(true);

  await writeFile(paths.provisionJson, key);
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test('provision.txt is removed before the run has looked for it: there is nothing to do', async () => {
  const { simulator, paths } = await scene();
  const run = await runDevice(paths, {
    sink: ({ event }) => {
      if (event === 'run.started') rmSync(paths.provisionTxt);
    },
  });
  expect(run).toMatchObject({ outcome: 'nothing', exitStatus: 0, deviceName: null, failure: null });
  const message = `No provision.txt in ${paths.deviceFolder}: nothing to do`;
  expect(run.records.at(-1)).toMatchObject({ event: 'run.nothing', message });
  expect(simulator.registry.devices()).toEqual([]);
});
