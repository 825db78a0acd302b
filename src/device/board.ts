import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/**
 * Which board this is, as digests. A card that was cloned carries the machine-id along, but not the serial number that
 * is burnt into the board; a board that was installed anew keeps its serial number, but not the machine-id.
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
  // The device tree ends strings with NUL; a first boot says "uninitialized" (machine-id(5)).
  const text = await readFile(path, 'utf8').catch(() => '');
  const value = text.replaceAll('\0', '').trim();
  return value === '' || value === 'uninitialized' ? null : digest(value);
}

/**
 * Reads the identity of this board.
 * @param override from THERMAL_BOARD_ID: for containers, which have neither a device tree nor a machine-id of their own
 */
export async function readBoardIdentity(override = '', files = IDENTITY_FILES): Promise<BoardIdentity> {
  if (override !== '') return { serial: digest(override), machine: null };
  const [serial, machine] = await Promise.all([digestOf(files.serial), digestOf(files.machine)]);
  return { serial, machine };
}

/** Whether two identities are of different boards; the serial number decides where both have one. */
export function isForeignBoard(stored: BoardIdentity, here: BoardIdentity): boolean {
  if (stored.serial !== null && here.serial !== null) return stored.serial !== here.serial;
  if (stored.serial !== null || here.serial !== null) return stored.machine === null || stored.machine !== here.machine;
  return stored.machine !== here.machine;
}
