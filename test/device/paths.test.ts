import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import { devicePaths } from '../../src/device/paths.ts';

const OWN = ['snapshot', 'credentials', 'lock', 'events'] as const;

it("the agent's own files are in provision-state in the device folder", () => {
  const paths = devicePaths('/d');
  expect(paths.stateFolder).toBe('/d/provision-state');
  for (const name of OWN) expect(dirname(paths[name])).toBe('/d/provision-state');
});

it('or in a separate folder, while the files of the camera stay in the device folder', () => {
  const paths = devicePaths('/d', '/s');
  for (const name of OWN) expect(dirname(paths[name])).toBe('/s');
  for (const name of ['provisionTxt', 'provisionTxtProcessed', 'provisionJson', 'thermalConfig'] as const) {
    expect(dirname(paths[name])).toBe('/d');
  }
});
