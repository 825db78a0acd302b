import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/**
 * Identity of the board, as digests. A cloned card copies the machine-id, but not the serial number of the board. A new
 * installation keeps the serial number, but not the machine-id.
 */
export interface BoardIdentity {
  readonly serial: string | null;
  readonly machine: string | null;
}

const IDENTITY_FILES = {
  serial: '/sys/firmware/devicetree/base/serial-number',
  machine: '/etc/machine-id',
};

const digest = (value: string): string => createHash('sha256').update(value).digest('hex').slice(0, 16);

async function digestOf(path: string): Promise<string | null> {
  // Strings in the device tree end with NUL. On first boot the machine-id is "uninitialized" (machine-id(5)).
  const text = await readFile(path, 'utf8').catch(() => '');
  const value = text.replaceAll('\0', '').trim();
  return value === '' || value === 'uninitialized' ? null : digest(value);
}

/**
 * Reads the identity of this board.
 * @param override THERMAL_BOARD_ID, for containers: they have no device tree and no machine-id of their own
 */
export async function readBoardIdentity(override = '', files = IDENTITY_FILES): Promise<BoardIdentity> {
  if (override !== '') return { serial: digest(override), machine: null };
  const [serial, machine] = await Promise.all([digestOf(files.serial), digestOf(files.machine)]);
  return { serial, machine };
}

/** Whether two identities belong to different boards. If both have a serial number, it decides. */
export function isForeignBoard(stored: BoardIdentity, here: BoardIdentity): boolean {
  if (stored.serial !== null && here.serial !== null) return stored.serial !== here.serial;
  if (stored.serial !== null || here.serial !== null) return stored.machine === null || stored.machine !== here.machine;
  return stored.machine !== here.machine;
}
