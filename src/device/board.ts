import { createHash } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { readStorageSources, type StorageSources, storageOf } from '../files/storage.ts';
import { networkAddresses } from './networkAddress.ts';

/**
 * Identity of the board, as digests. A cloned card copies the machine-id, but not the serial number of the board. A new
 * installation keeps the serial number, but not the machine-id.
 */
export interface BoardIdentity {
  readonly serial: string | null;
  readonly machine: string | null;
  /** Whether the machine-id is lost at a reboot. Absent: no, or there is a serial number, or version 1.0.0 wrote it. */
  readonly volatileMachine?: boolean | undefined;
  /** The network address. Absent: there is a serial number, or version 1.0.0 wrote it. */
  readonly address?: string | null | undefined;
}

/** Where the parts of the identity are. */
interface IdentityPlaces {
  readonly serial: string;
  readonly machine: string;
  /** Default: /sys/class/net */
  readonly interfaces?: string;
}

const IDENTITY_FILES: IdentityPlaces = {
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
export async function readBoardIdentity(override = '', places = IDENTITY_FILES): Promise<BoardIdentity> {
  if (override !== '') return { serial: digest(override), machine: null };
  const [serial, machine] = await Promise.all([digestOf(places.serial), digestOf(places.machine)]);
  if (serial !== null) return { serial, machine };
  const isVolatile = machine !== null && (await volatileMachineId(places.machine)) !== undefined;
  return { serial, machine, ...(isVolatile ? { volatileMachine: true } : {}), address: await address(places) };
}

/** The smallest address, because the names of interfaces can change places at a reboot. */
async function address({ interfaces }: IdentityPlaces): Promise<string | null> {
  const permanent = (await networkAddresses(interfaces)).filter((one) => one.permanent).map((one) => one.address);
  const [smallest] = permanent.sort();
  return smallest === undefined ? null : digest(smallest);
}

/**
 * Where a machine-id is that a reboot loses, for messages. undefined: nothing shows that it is lost. With a read-only
 * root and an empty machine-id, systemd generates another one at each boot and mounts it over the file.
 */
export async function volatileMachineId(
  path = IDENTITY_FILES.machine,
  sources?: StorageSources,
): Promise<string | undefined> {
  const known = sources ?? (await readStorageSources());
  const { kind, text, inUpper, inLower = [] } = await storageOf(path, known);
  if (kind !== 'volatile' || inUpper === null) return undefined;
  // An overlay shows the lasting file of its lower layer until somebody writes it.
  if (inUpper !== undefined && (await lstat(inUpper).catch(() => undefined)) === undefined) return undefined;
  // systemd opens the file for writing at each boot, which copies the lasting file unchanged.
  return (await isCopied(path, inLower)) ? undefined : text;
}

/** Whether a file of an overlay has the content of the topmost lower layer that has it. */
async function isCopied(path: string, inLower: readonly string[]): Promise<boolean> {
  for (const lower of inLower) {
    const original = await digestOf(lower);
    if (original !== null) return original === (await digestOf(path));
  }
  return false;
}

/** Whether two machine-ids that differ can be of one board, because neither outlasts a reboot. */
const bothVolatile = (stored: BoardIdentity, here: BoardIdentity): boolean =>
  stored.volatileMachine === true && here.volatileMachine === true;

const hasSameAddress = (stored: BoardIdentity, here: BoardIdentity): boolean =>
  typeof stored.address === 'string' && stored.address === here.address;

/**
 * Whether two identities belong to different boards. If both have a serial number, it decides. If neither has one and
 * both machine-ids are lost at a reboot, the network address decides.
 */
export function isForeignBoard(stored: BoardIdentity, here: BoardIdentity): boolean {
  if (stored.serial !== null && here.serial !== null) return stored.serial !== here.serial;
  if (stored.serial !== null || here.serial !== null) return stored.machine === null || stored.machine !== here.machine;
  if (stored.machine === here.machine) return false;
  return !(bothVolatile(stored, here) && hasSameAddress(stored, here));
}

/**
 * Whether a foreign identity may be that of this board, because only the machine-id differs. The agent does
 * not trust that: a cloned card may be in a board with the same network address.
 */
export const mayBeThisBoard = (stored: BoardIdentity, here: BoardIdentity): boolean =>
  isForeignBoard(stored, here) && stored.machine !== null && here.machine !== null && hasSameAddress(stored, here);

/** Whether a reboot changes everything by which this board is recognised. */
export const hasOnlyVolatileIdentity = ({ serial, volatileMachine, address }: BoardIdentity): boolean =>
  serial === null && volatileMachine === true && typeof address !== 'string';
