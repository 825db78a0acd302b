import { createHmac, randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Failure } from '../failures/failure.ts';
import { errnoOf } from '../failures/fileFailure.ts';
import { volatileMachineId } from './board.ts';
import { nameFromCommand } from './nameCommand.ts';
import { MAX_NAME_LENGTH, NAME_PARTS, type NamePart, type NameSettings } from './nameSettings.ts';
import { networkAddresses } from './networkAddress.ts';

/** Where the parts are read. */
export interface NamePlaces {
  /** Default: /sys/class/net */
  readonly interfaces?: string;
  readonly deviceTree: string;
  /** In the order in which they are tried. */
  readonly dmi: readonly string[];
  readonly machineId: string;
  readonly hostname: () => string;
}

const PLACES: NamePlaces = {
  deviceTree: '/sys/firmware/devicetree/base/serial-number',
  dmi: ['/sys/class/dmi/id/product_serial', '/sys/class/dmi/id/board_serial'],
  machineId: '/etc/machine-id',
  hostname: () => process.getBuiltinModule('node:os').hostname(),
};

const RANDOM_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const RANDOM_LENGTH = 6;

/** What makers of boards leave in the field for the serial number. Many boards have the same. */
const NO_SERIAL =
  /^(|to be filled by o\.?e\.?m\.?|default string|none|n\/?a|not (specified|applicable|available)|(system|chassis|base board) serial number|0?123456789|invalid|unknown|oem|empty)$/i;
const NO_HOSTNAME = /^(|\(none\)|localhost(\..*)?)$/i;

/** Whether a text can't tell boards apart. */
const isPlaceholder = (serial: string): boolean => NO_SERIAL.test(serial) || new Set(serial).size === 1;

/** The text with other characters than those of a name replaced by single hyphens. */
const cleaned = (text: string): string => text.replaceAll(/[^A-Za-z0-9_]+/g, '-').replaceAll(/^-|-$/g, '');

/**
 * The last three bytes, in hexadecimal, of the address of the first physical network interface by name.
 * @throws Failure PROVISION_JSON_INVALID when there is no such interface
 */
export async function macSuffix(folder?: string): Promise<string> {
  const [first] = await networkAddresses(folder);
  if (first === undefined) throw new Failure('PROVISION_JSON_INVALID', 'noInterface', {});
  return first.address.replaceAll(':', '').slice(-6).toUpperCase();
}

/**
 * The serial number of the device tree, else of DMI.
 * @throws Failure PROVISION_JSON_INVALID when there is none, or only a maker's placeholder, or no permission to read it
 */
async function serialNumber({ deviceTree, dmi }: NamePlaces): Promise<string> {
  let refused: { readonly path: string; readonly cause: unknown } | undefined;
  for (const path of [deviceTree, ...dmi]) {
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      if (errnoOf(cause) === 'EACCES') refused ??= { path, cause };
      return '';
    });
    // Strings in the device tree end with NUL.
    const serial = text.replaceAll('\0', '').trim();
    if (!isPlaceholder(serial) && cleaned(serial) !== '') return cleaned(serial);
  }
  if (refused === undefined) throw new Failure('PROVISION_JSON_INVALID', 'noSerial', {});
  throw new Failure('PROVISION_JSON_INVALID', 'serialNotPermitted', { path: refused.path }, refused.cause);
}

/**
 * Twelve hexadecimal digits made from the machine-id, which itself should not leave the machine (machine-id(5)).
 * @throws Failure PROVISION_JSON_INVALID when there is none, or a reboot loses it
 */
async function machineDigest({ machineId }: NamePlaces): Promise<string> {
  const id = (await readFile(machineId, 'utf8').catch(() => '')).trim();
  if (!/^[0-9a-f]{32}$/i.test(id)) throw new Failure('PROVISION_JSON_INVALID', 'noMachineId', { path: machineId });
  const where = await volatileMachineId(machineId);
  if (where !== undefined) {
    throw new Failure('PROVISION_JSON_INVALID', 'volatileMachineId', { path: machineId, where });
  }
  return createHmac('sha256', Buffer.from(id, 'hex'))
    .update('thermal-provision device name')
    .digest('hex')
    .slice(0, 12);
}

/** @throws Failure PROVISION_JSON_INVALID when the board has no name of its own */
function hostname(places: NamePlaces): string {
  const name = places.hostname();
  if (NO_HOSTNAME.test(name) || cleaned(name) === '') throw new Failure('PROVISION_JSON_INVALID', 'noHostname', {});
  return cleaned(name);
}

const randomPart = (): string =>
  Array.from({ length: RANDOM_LENGTH }, () => RANDOM_ALPHABET.charAt(randomInt(RANDOM_ALPHABET.length))).join('');

async function partOf(part: NamePart, places: NamePlaces): Promise<string> {
  switch (part) {
    case 'random':
      return randomPart();
    case 'mac':
      return macSuffix(places.interfaces);
    case 'serial':
      return serialNumber(places);
    case 'machine-id':
      return machineDigest(places);
    case 'hostname':
      return hostname(places);
  }
}

async function filled(template: string, part: (name: NamePart) => Promise<string>): Promise<string> {
  let text = template;
  for (const name of NAME_PARTS) {
    if (text.includes(`{${name}}`)) text = text.replaceAll(`{${name}}`, await part(name));
  }
  return text;
}

/** What a name needs besides the board. */
export interface NameOptions {
  readonly signal?: AbortSignal;
  /** The user who runs the command of `name_source`; default: the agent's own. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  readonly places?: Partial<NamePlaces>;
  /** Stands for the random part, for a name that is only shown. */
  readonly random?: string;
}

/**
 * The device name by the settings: at most 64 characters of A-Z, a-z, 0-9, _ and -. By default it is prefix-XXXXXX with
 * random characters (FR-005).
 * @throws Failure PROVISION_JSON_INVALID when a part can't be had, or the name would be too long
 */
export async function deviceNameFor(name: NameSettings, options: NameOptions = {}): Promise<string> {
  const places = { ...PLACES, ...options.places };
  const part = (one: NamePart): Promise<string> =>
    one === 'random' && options.random !== undefined ? Promise.resolve(options.random) : partOf(one, places);
  const made = await madeOf(name, part, options);
  if (made.length > MAX_NAME_LENGTH) {
    throw new Failure('PROVISION_JSON_INVALID', 'nameTooLong', { length: made.length, limit: MAX_NAME_LENGTH });
  }
  return made;
}

async function madeOf(
  name: NameSettings,
  part: (one: NamePart) => Promise<string>,
  { signal, owner }: NameOptions,
): Promise<string> {
  switch (name.source) {
    case 'fixed':
      return name.name;
    case 'template':
      return filled(name.template, part);
    case 'command': {
      const line = cleaned(await nameFromCommand(name.command, { signal, owner }));
      if (line === '') throw new Failure('PROVISION_JSON_INVALID', 'commandNotOneLine', { command: name.command });
      return `${name.prefix}-${line}`;
    }
    default:
      return `${name.prefix}-${await part(name.source)}`;
  }
}
