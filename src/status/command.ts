import { join } from 'node:path';
import type { DevicePaths } from '../device/paths.ts';

const PLAIN = /^[\w@%+=:,./-]+$/;

/** A word as a POSIX shell takes it, whatever is in it. */
export const shellWord = (text: string): string => (PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** A command line of this program for the same device, ready to be typed anywhere. */
export function commandFor(name: string, { deviceFolder, stateFolder }: DevicePaths): string {
  const usual = join(deviceFolder, 'provision-state') === stateFolder;
  const elsewhere = usual ? '' : ` --state-dir ${shellWord(stateFolder)}`;
  return `thermal-provision ${name} --dir ${shellWord(deviceFolder)}${elsewhere}`;
}
