import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type BoardIdentity, isForeignBoard, readBoardIdentity } from '../../src/device/board.ts';
import { put } from '../config/scratch.ts';
import { makeFolder } from '../support/deviceFolder.ts';

/** A board whose files hold these texts; undefined: there is no such file. */
async function boardWith(serial: string | undefined, machine: string | undefined): Promise<BoardIdentity> {
  const folder = await makeFolder(onTestFinished);
  const files = { serial: join(folder, 'serial-number'), machine: join(folder, 'machine-id') };
  if (serial !== undefined) await put(files.serial, serial);
  if (machine !== undefined) await put(files.machine, machine);
  return readBoardIdentity('', files);
}

describe('the identity of a board', () => {
  it('is digests, never the numbers themselves', async () => {
    const board = await boardWith('10000000abcdef01\0', '3d1219c7c4c5404aaa1f6d2a48adfda4\n');
    expect(board.serial).toMatch(/^[0-9a-f]{16}$/);
    expect(board.machine).toMatch(/^[0-9a-f]{16}$/);
    expect(JSON.stringify(board)).not.toMatch(/abcdef01|3d1219c7/);
  });

  it('is the same whatever ends the line: NUL in the device tree, a line feed in a file', async () => {
    expect(await boardWith('serial-1\0', 'machine\n')).toEqual(await boardWith('serial-1', 'machine'));
  });

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['blank', ' \n\0'],
    ['not yet drawn by the first boot', 'uninitialized\n'],
  ])('has no part that is %s', async (_what, text) => {
    expect(await boardWith(text, text)).toEqual({ serial: null, machine: null });
  });

  it('is what THERMAL_BOARD_ID says, if that is set', async () => {
    const board = await readBoardIdentity('container-7');
    expect(board).toEqual({ serial: expect.stringMatching(/^[0-9a-f]{16}$/), machine: null });
    expect(board).toEqual(await readBoardIdentity('container-7'));
    expect(board).not.toEqual(await readBoardIdentity('container-8'));
  });

  it('can be read on any machine', async () => {
    expect(Object.keys(await readBoardIdentity())).toEqual(['serial', 'machine']);
  });
});

describe('a board is another one', () => {
  const board = (serial: string | null, machine: string | null): BoardIdentity => ({ serial, machine });
  it.each([
    ['never itself', board('s', 'm'), board('s', 'm'), false],
    ['when the serial number differs: a cloned card', board('s', 'm'), board('t', 'm'), true],
    ['not when only the machine-id differs: installed anew', board('s', 'm'), board('s', 'n'), false],
    ['when the machine-id differs and there is no serial number', board(null, 'm'), board(null, 'n'), true],
    ['not when the machine-id is equal and there is no serial number', board(null, 'm'), board(null, 'm'), false],
    ['when only one has a serial number and the machine-id differs', board('s', 'm'), board(null, 'n'), true],
    ['not when only one has a serial number and the machine-id is equal', board('s', 'm'), board(null, 'm'), false],
    ['not when the serial number appeared later', board(null, 'm'), board('s', 'm'), false],
    ['when nothing tells that they are the same', board('s', null), board(null, null), true],
    ['not when neither has anything', board(null, null), board(null, null), false],
  ])('%s', (_when, stored, here, foreign) => {
    expect(isForeignBoard(stored, here)).toBe(foreign);
  });
});
