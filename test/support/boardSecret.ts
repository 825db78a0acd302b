/** A board whose secret outlives its card, and its cards. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DevicePaths } from '../../src/device/paths.ts';
import { put } from '../config/scratch.ts';
import { deviceFolderFor } from './agentRun.ts';
import type { AtEnd } from './atEnd.ts';
import { putTrigger } from './deviceFiles.ts';
import { makeFolder } from './deviceFolder.ts';

/** Long enough, and unlike any token. */
export const BOARD_SECRET = 'secret/of+this=board&"3"';

/** Where the board secret is kept: not on the card. @returns the path of the file */
export async function boardSecret(atEnd: AtEnd, secret = BOARD_SECRET): Promise<string> {
  return put(join(await makeFolder(atEnd), 'board-secret'), secret, 0o600);
}

/**
 * A card with the image of a camera called hall-7: only provision.json and provision.txt.
 * @param secretFile undefined: provision.json names none
 */
export const newCard = (
  port: number,
  secretFile: string | undefined,
  atEnd: AtEnd,
  more: { readonly provisioning?: object; readonly device?: object } = {},
): Promise<DevicePaths> => {
  const provisioning = { board_secret_file: secretFile, ...more.provisioning };
  return deviceFolderFor(port, { provisioning, device: { name: 'hall-7', ...more.device }, config: null }, atEnd);
};

/** A factory reset: everything that runs have written is lost, and the camera asks for provisioning again. */
export async function wipe(paths: DevicePaths): Promise<void> {
  for (const path of [paths.stateFolder, paths.thermalConfig, paths.provisionTxtProcessed]) {
    await rm(path, { recursive: true, force: true });
  }
  await putTrigger(paths);
}
