import { nearMisses } from '../device/nearMisses.ts';
import type { DevicePaths } from '../device/paths.ts';
import { requireRenamable, triggerIdentity } from '../device/trigger.ts';
import { fileExists } from '../files/fileExists.ts';
import { readMountTable } from '../files/mountTable.ts';
import { type Checked, passed, warning } from './check.ts';

const MEANT_HINT = 'If it is the request: make it a file named provision.txt. Otherwise ignore this warning.';

/** Checks whether provisioning is requested, and whether provision.txt can be renamed. */
export async function checkTrigger(paths: DevicePaths): Promise<Checked<never>> {
  const { deviceFolder, provisionTxt, provisionTxtProcessed, credentials } = paths;
  await requireRenamable(paths, await readMountTable());
  if ((await triggerIdentity(provisionTxt)) !== null) {
    return { findings: [passed('exists; the next run provisions this device')] };
  }
  const near = (await nearMisses(provisionTxt)).map((name) => warning(`perhaps meant: ${name}`, MEANT_HINT));
  const hint = `Run: touch ${provisionTxt}`;
  if (await fileExists(credentials)) {
    return {
      findings: [warning('missing, but a run is unfinished; the next run cancels or completes it', hint), ...near],
    };
  }
  // Another provision.txt would register another device.
  if (await fileExists(provisionTxtProcessed)) {
    return {
      findings: [passed('missing; an earlier run has provisioned this device, so run has nothing to do'), ...near],
    };
  }
  const missing = `missing in ${deviceFolder}; run has nothing to do and would exit with 0`;
  return { findings: [warning(missing, hint), ...near] };
}
