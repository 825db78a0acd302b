import { mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { cutIn, runDevice, scene } from '../support/agentRun.ts';
import { OLD_CONFIG } from '../support/deviceFiles.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';

test('a configuration that was replaced before provision.txt was renamed is backed up and written again', async () => {
  const { simulator, paths } = await scene();
  await cutIn(paths, 'finalize');
  const theirs = OLD_CONFIG.replace('{', '{"site":"put back by hand",');
  await writeFile(paths.thermalConfig, theirs);
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'provisioned', exitStatus: 0 });
  expect(run.of('config.replaced')).toHaveLength(1);
  const { backup } = JSON.parse(await readFile(paths.thermalConfig, 'utf8')).provisioning;
  expect(await readFile(`${paths.deviceFolder}/${backup}`, 'utf8')).toBe(theirs);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
});

test.each([
  ['with the old one', (path: string) => writeFile(path, OLD_CONFIG)],
  ['with invalid JSON', (path: string) => writeFile(path, 'x')],
  ['with JSON that names no server', (path: string) => writeFile(path, '{"thingsboard":7}')],
  ['with nothing', (path: string) => rm(path)],
])(
  'without provision.txt, replaced %s, the run is withdrawn, and says which device may be left',
  async (_how, replace) => {
    const { simulator, paths } = await scene();
    await cutIn(paths, 'finalize');
    await rm(paths.provisionTxt);
    await replace(paths.thermalConfig);
    const run = await runDevice(paths);
    expect(run.outcome).toBe('withdrawn');
    expect(run.of('run.provisioned')).toEqual([]);
    expect(run.of('device.former')).toEqual([]);
    const [device] = simulator.registry.devices();
    expect(run.text).toContain(`A device ${device?.name} may exist`);
    // When provision.txt is put back, the run resumes with that device.
    await writeFile(paths.provisionTxt, '');
    expect((await runDevice(paths)).outcome).toBe('provisioned');
    expect(await provisionedProblems(paths, simulator)).toEqual([]);
  },
);

test('the camera keeps a backup that was put back after a failed finalize', async () => {
  const { paths } = await scene();
  await cutIn(paths, 'finalize');
  await mkdir(paths.provisionTxtProcessed);
  expect(await runDevice(paths)).toMatchObject({ outcome: 'failed' });
  await rm(paths.provisionTxt);
  await rmdir(paths.provisionTxtProcessed);
  await writeFile(paths.thermalConfig, OLD_CONFIG);
  expect((await runDevice(paths)).outcome).toBe('withdrawn');
  expect(await readFile(paths.thermalConfig, 'utf8')).toBe(OLD_CONFIG);
});
