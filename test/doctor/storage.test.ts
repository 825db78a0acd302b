import { describe, expect, it, onTestFinished } from 'vitest';
import type { BoardIdentity } from '../../src/device/board.ts';
import { devicePaths } from '../../src/device/paths.ts';
import { checkBoardIdentity } from '../../src/doctor/boardIdentity.ts';
import type { Finding } from '../../src/doctor/check.ts';
import { checkStorage } from '../../src/doctor/storage.ts';
import { parseMountTable } from '../../src/files/mountTable.ts';
import { makeFolder } from '../support/deviceFolder.ts';

const said = ({ verdict, code, message }: Finding): string => `${verdict} ${code ?? '-'}: ${message}`;

describe('the storage', () => {
  const checked = async (mount: string, isAllowed = false, isRecoverable = false): Promise<readonly string[]> => {
    const folder = await makeFolder(onTestFinished);
    const table = parseMountTable(`1 0 8:1 / / rw - ext4 /dev/sda1 rw\n${mount.replace('{}', folder)}`);
    const sources = { table, kernelCommandLine: '', sysfs: '/nowhere' };
    const { findings } = await checkStorage(devicePaths(folder), undefined, { isAllowed, isRecoverable }, sources);
    return findings.map(said);
  };
  const RAM = '2 1 0:40 / {} rw - tmpfs tmpfs rw';

  it('passes where it outlasts a reboot', async () => {
    expect(await checked('')).toEqual([
      expect.stringMatching(/^passed -: the device folder .* is on ext4 \(\/dev\/sda1\)$/),
    ]);
  });

  it('fails where a reboot loses it, as a run would, and is a warning where the operator allows that', async () => {
    expect(await checked(RAM)).toEqual([
      expect.stringMatching(/^failed VOLATILE_STORAGE: A reboot loses .*\n- .*tmpfs/),
    ]);
    expect(await checked(RAM, true)).toEqual([
      expect.stringMatching(/^warning -: A reboot loses [\s\S]* allows this$/),
    ]);
  });

  it('passes where a board secret brings the device back, and says what is lost', async () => {
    expect(await checked(RAM, false, true)).toEqual([
      expect.stringMatching(/^passed -: A reboot loses .*; the board secret then brings the same device back: .*tmpfs/),
    ]);
  });

  it('is a warning on an overlay whose upper layer is not seen, as in a container', async () => {
    const overlay = '2 1 0:41 / {} rw - overlay overlay rw,upperdir=/var/lib/docker/overlay2/1/diff';
    expect(await checked(overlay)).toEqual([
      expect.stringMatching(/^warning -: What is written may not last: .*overlay/),
    ]);
  });
});

describe('the identity of the board', () => {
  const checked = async (board: Partial<BoardIdentity>, override?: string, recoverable = false): Promise<string> => {
    const whole = { serial: null, machine: null, address: null, ...board };
    const { findings } = await checkBoardIdentity(
      override,
      recoverable,
      async () => whole,
      async () => 'a tmpfs (mounted at /etc/machine-id), which is kept in RAM',
    );
    return findings.map(said).join();
  };

  it.each([
    [{ serial: 's' }, 'the board has a serial number'],
    [{ machine: 'm', address: 'a' }, 'the machine-id is permanent'],
    [{ address: 'a' }, 'the board has a network address'],
    [{}, 'none: no serial number and no machine-id'],
  ])('passes with %j', async (board, message) => {
    expect(await checked(board)).toBe(`passed -: ${message}`);
  });

  it('passes with THERMAL_BOARD_ID', async () => {
    expect(await checked({ serial: 's' }, 'board-1')).toBe('passed -: THERMAL_BOARD_ID is set');
  });

  it('passes with any machine-id if a board secret brings the device back', async () => {
    const board = { machine: 'm', volatileMachine: true };
    expect(await checked(board, undefined, true)).toMatch(/^passed -: the machine-id is not permanent, but /);
  });

  it('is a warning with a machine-id that a reboot changes, and says what follows', async () => {
    const start = /^warning -: the machine-id is not permanent: \/etc\/machine-id is on a tmpfs /;
    const known = await checked({ machine: 'm', volatileMachine: true, address: 'a' });
    expect(known).toMatch(start);
    expect(known).toContain('recognised by its network address');
    const unknown = await checked({ machine: 'm', volatileMachine: true });
    expect(unknown).toMatch(start);
    expect(unknown).toContain('its device is stranded');
  });
});
