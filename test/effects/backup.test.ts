import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backup } from '../../src/effects/backup.ts';
import { deviceFolderFor } from '../support/agentRun.ts';
import { OLD_CONFIG } from '../support/deviceFiles.ts';
import { effectCall, effectScene } from '../support/effectCall.ts';

const NAME = 'thermal_config.json.backup.20261123T101530.123Z';
const call = effectCall({ name: NAME });

test('the configuration is copied; done twice, the copy stays', async () => {
  const paths = await deviceFolderFor(1, { config: OLD_CONFIG });
  const { dependencies, events, of } = await effectScene(paths);
  const copy = join(paths.deviceFolder, NAME);
  expect(await backup(dependencies, call)).toMatchObject({ name: NAME, made: true });
  const { ino } = await stat(copy);
  expect(await backup(dependencies, call)).toMatchObject({ name: NAME, made: false });
  expect((await stat(copy)).ino).toBe(ino);
  expect(await readFile(copy, 'utf8')).toBe(OLD_CONFIG);
  expect(events()).toEqual(['backup.made', 'backup.present']);
  const [made, present] = [...of('backup.made'), ...of('backup.present')];
  expect(made?.details).toEqual({ backup: NAME, bytes: OLD_CONFIG.length });
  expect(present).toMatchObject({ details: made?.details, message: expect.stringContaining(NAME) });
});

test('without a configuration there is nothing to copy', async () => {
  const { dependencies, events } = await effectScene(await deviceFolderFor(1, { config: null }));
  expect(await backup(dependencies, call)).toMatchObject({ name: null, made: false });
  expect(events()).toEqual(['backup.none']);
});
