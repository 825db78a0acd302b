import type { DevicePaths } from '../device/paths.ts';
import { requireRenamable, triggerIdentity } from '../device/trigger.ts';
import { fileExists } from '../files/fileExists.ts';
import { readMountTable } from '../files/mountTable.ts';
import { type Checked, passed, warning } from './check.ts';

/** Checks whether provisioning is requested, and whether provision.txt can be renamed. */
export async function checkTrigger(paths: DevicePaths): Promise<Checked<never>> {
  const { provisionTxt, credentials } = paths;
  await requireRenamable(paths, await readMountTable());
  if ((await triggerIdentity(provisionTxt)) !== null) {
    return { findings: [passed('exists; the next run provisions this device')] };
  }
  const hint = `Run: touch ${provisionTxt}`;
  if (await fileExists(credentials)) {
    return {
      findings: [warning('missing, but a run is unfinished; the next run cancels or completes it', hint)],
    };
  }
  return { findings: [warning('missing; run has nothing to do and would exit with 0', hint)] };
}
