import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { cutIn, runDevice, scene } from '../support/agentRun.ts';
import { OLD_CONFIG } from '../support/deviceFiles.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';

test('a token that was altered before the write is not written, and the next start finds the same device', async () => {
  const { simulator, paths } = await scene();
  await cutIn(paths, 'write');
  const credentials = JSON.parse(await readFile(paths.credentials, 'utf8'));
  credentials.granted.token = 'altered';
  await writeFile(paths.credentials, JSON.stringify(credentials));

  const { failure } = await runDevice(paths);
  expect(failure?.code).toBe('CREDENTIALS_LOST');
  expect(failure?.hint).toContain('Start again');
  expect(await readFile(paths.thermalConfig, 'utf8')).toBe(OLD_CONFIG);

  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});
