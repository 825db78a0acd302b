import { readLimited } from './readLimited.ts';

const MAX_BYTES = 64 * 1024;
const CAP_CHOWN = 1n;
/** Number that the kernel shows for an owner who has none in this container (user_namespaces(7)). */
const UNKNOWN = 65_534;

/** A file of /proc/self; undefined where there is no /proc. */
async function ofProcess(name: string): Promise<string | undefined> {
  const read = await readLimited(`/proc/self/${name}`, MAX_BYTES);
  return read.ok ? read.bytes.toString('latin1') : undefined;
}

async function isKnown(id: number, map: string): Promise<boolean> {
  if (id !== UNKNOWN) return true;
  const ranges = (await ofProcess(map))?.trim().split('\n') ?? [];
  return ranges.some((range) => {
    const [first = 0, , count = 0] = range.trim().split(/\s+/).map(Number);
    return id >= first && id < first + count;
  });
}

/**
 * Whether this process may give a file to an owner and a group. Only root may, but not in every container: it needs a
 * capability, and the owner needs a number there.
 */
export async function mayGiveTo(uid: number, gid: number): Promise<boolean> {
  if (process.geteuid?.() !== 0) return false;
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec((await ofProcess('status')) ?? '')?.[1];
  if (effective !== undefined && (BigInt(`0x${effective}`) & CAP_CHOWN) === 0n) return false;
  return (await isKnown(uid, 'uid_map')) && (await isKnown(gid, 'gid_map'));
}
