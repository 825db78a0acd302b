import { chmod } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { Finding } from '../../src/doctor/check.ts';
import { examine } from '../../src/doctor/examine.ts';
import { put } from '../config/scratch.ts';
import { boardSecret, newCard } from '../support/boardSecret.ts';
import { folderInRam } from '../support/folderInRam.ts';

/** What `doctor` says about the board secret, and about the storage. */
async function examined(secret: string | undefined, more: Parameters<typeof newCard>[3] = {}, variable?: string) {
  const paths = await newCard(1, secret, onTestFinished, more);
  const externalSettings = variable === undefined ? {} : { boardSecretFile: variable };
  const { reports } = examine({ paths, now: Date.now(), keyCheck: false, externalSettings });
  const all = await Promise.all(reports);
  const of = (title: string): readonly Finding[] => all.find((report) => report.title === title)?.findings ?? [];
  return { said: of('board secret').map(({ verdict, code, message }) => `${verdict} ${code ?? '-'}: ${message}`) };
}

/** A file that is not on the storage of the device folder. */
const elsewhere = async (mode: number, content = 'secret of this board'): Promise<string> =>
  put(`${await folderInRam(onTestFinished)}/secret`, content, mode);

it('that gives the credentials is named, with the setting that names it', async () => {
  const path = await elsewhere(0o400);
  expect((await examined(path)).said).toEqual([
    `passed -: ${path} gives the credentials (provisioning.board_secret_file)`,
  ]);
  expect((await examined('/absent', {}, path)).said).toEqual([
    `passed -: ${path} gives the credentials (THERMAL_BOARD_SECRET_FILE)`,
  ]);
});

it('that is not set is no fault', async () => {
  expect((await examined(undefined)).said).toEqual(['passed -: none: a lost card loses the device']);
});

it('that brings nothing back is a warning', async () => {
  expect((await examined('/absent', { device: { name: undefined } })).said).toEqual([
    expect.stringMatching(/^warning -: The board secret is not used, because the device name is random/),
  ]);
});

it('that a run could not use is found before any run', async () => {
  expect((await examined('/absent')).said).toEqual([
    expect.stringMatching(/^failed BOARD_SECRET_UNUSABLE: .*\/absent can't be used: there is no such file/),
  ]);
  const path = await elsewhere(0o400, 'too short');
  expect((await examined(path)).said).toEqual([expect.stringMatching(/^failed BOARD_SECRET_UNUSABLE: .*9 bytes/)]);
});

it.each([0o444, 0o440, 0o404])('that other users can read is a warning: mode %o', async (mode) => {
  const path = await elsewhere(mode);
  expect((await examined(path)).said[1]).toBe(`warning -: other users can read it (mode ${mode.toString(8)})`);
});

it('on the storage of the device folder is a warning: a card takes it along', async () => {
  const path = await boardSecret(onTestFinished);
  await chmod(path, 0o400);
  expect((await examined(path)).said[1]).toMatch(/^warning -: it is on the storage of the device folder/);
});
