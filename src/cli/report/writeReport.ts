import { resolve } from 'node:path';
import { requireDeviceFolder } from '../../device/folder.ts';
import type { DevicePaths } from '../../device/paths.ts';
import { Failure } from '../../failures/failure.ts';
import { fileFailure } from '../../failures/fileFailure.ts';
import { durableReplace } from '../../files/durable.ts';
import { readLimited } from '../../files/readLimited.ts';
import { reportPage } from '../../report/reportPage.ts';
import { readDeviceFiles } from '../../status/deviceFiles.ts';
import { VERSION } from '../../version.ts';
import { boardId } from '../options.ts';

/** Readable for all, because the page has no secrets. */
const PAGE_MODE = 0o644;
const MAX_PAGE_BYTES = 64 * 1024 * 1024;
const BEGINNING = '<!doctype html>';

/**
 * Writes the report of a device.
 * @param out a path; `-`: standard output
 * @throws Failure DEVICE_FOLDER_MISSING, USAGE (the file is not a report), and those of durableReplace
 */
export async function writeReport(paths: DevicePaths, out: string): Promise<void> {
  const files = await readDeviceFiles(paths, { boardId: boardId() });
  if (files.folder.problem?.code === 'DEVICE_FOLDER_MISSING') {
    await requireDeviceFolder(paths.deviceFolder);
  }
  const { text } = reportPage(files, VERSION);
  if (out === '-') {
    process.stdout.write(text);
    return;
  }
  const path = resolve(out);
  await requireReplaceable(path);
  await durableReplace(path, Buffer.from(text), { mode: PAGE_MODE });
  process.stdout.write(`${path}\n`);
}

/** A wrong --out must not replace provision.json or the configuration. */
async function requireReplaceable(path: string): Promise<void> {
  const read = await readLimited(path, MAX_PAGE_BYTES, false);
  if (!read.ok && read.problem === 'absent') return;
  if (!read.ok && read.problem === 'unreadable') throw fileFailure(read.cause, `write ${path}`);
  if (read.ok && (read.bytes.length === 0 || read.bytes.toString('utf8', 0, BEGINNING.length) === BEGINNING)) return;
  throw new Failure('USAGE', 'notAReport', { path });
}
