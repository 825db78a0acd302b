import { requireDeviceFolder } from '../../device/folder.ts';
import type { DevicePaths } from '../../device/paths.ts';
import { PAGE_BEGINNING } from '../../report/page.ts';
import { reportPage } from '../../report/reportPage.ts';
import { readDeviceFiles } from '../../status/deviceFiles.ts';
import { VERSION } from '../../version.ts';
import { boardId } from '../options.ts';
import { writeOutput } from './writeOutput.ts';

/**
 * Writes the report of a device.
 * @param out a path; `-`: standard output
 * @throws Failure DEVICE_FOLDER_MISSING, and those of writeOutput
 */
export async function writeReport(paths: DevicePaths, out: string): Promise<void> {
  const files = await readDeviceFiles(paths, { boardId: boardId() });
  if (files.folder.problem?.code === 'DEVICE_FOLDER_MISSING') {
    await requireDeviceFolder(paths.deviceFolder);
  }
  await writeOutput(reportPage(files, VERSION).text, out, PAGE_BEGINNING);
}
