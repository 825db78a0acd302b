import { readdir, readFile, realpath } from 'node:fs/promises';

const NETWORK_INTERFACES = '/sys/class/net';

/** The address of a physical network interface. */
export interface NetworkAddress {
  /** As `b8:27:eb:0a:1f:3c`. */
  readonly address: string;
  /** Of the hardware: neither generated at this boot nor set by a program. */
  readonly permanent: boolean;
}

/** Whether a network interface is hardware: only hardware has a `device` link in sysfs. */
async function isPhysical(folder: string, name: string): Promise<boolean> {
  return realpath(`${folder}/${name}/device`).then(
    () => true,
    () => false,
  );
}

const textOf = async (path: string): Promise<string> => (await readFile(path, 'utf8').catch(() => '')).trim();

/** The addresses of the physical network interfaces, by the names of the interfaces. */
export async function networkAddresses(folder = NETWORK_INTERFACES): Promise<readonly NetworkAddress[]> {
  const names = (await readdir(folder).catch(() => [])).sort();
  const addresses: NetworkAddress[] = [];
  for (const name of names) {
    if (!(await isPhysical(folder, name))) continue;
    const address = await textOf(`${folder}/${name}/address`);
    if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(address) || /^(00:){5}00$/.test(address)) continue;
    addresses.push({ address, permanent: (await textOf(`${folder}/${name}/addr_assign_type`)) === '0' });
  }
  return addresses;
}
