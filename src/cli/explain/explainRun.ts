import { assess } from '../../status/assessment.ts';
import { readDeviceFiles } from '../../status/deviceFiles.ts';
import { STATUS_EXIT } from '../../status/deviceStatus.ts';
import { explanation } from '../../status/explanation.ts';
import { boardId, type FolderArguments, pathsFrom } from '../options.ts';

/**
 * Prints the information of `status` in sentences.
 * @returns the exit status, the same as of `status`
 */
export async function explainRun(given: FolderArguments): Promise<number> {
  const files = await readDeviceFiles(pathsFrom(given), { boardId: boardId() });
  process.stdout.write(explanation(files));
  return STATUS_EXIT[assess(files).word];
}
