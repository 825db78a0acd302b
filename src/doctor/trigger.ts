import type { DevicePaths } from '../device/paths.ts';
import { triggerIdentity } from '../device/trigger.ts';
import { fileExists } from '../files/fileExists.ts';
import { type Checked, passed, warning } from './check.ts';

/** Whether anybody asks for provisioning. */
export async function checkTrigger({ provisionTxt, credentials }: DevicePaths): Promise<Checked<never>> {
  if ((await triggerIdentity(provisionTxt)) !== null) {
    return { findings: [passed('is there: the next run provisions this device')] };
  }
  const hint = `Run: touch ${provisionTxt}`;
  if (await fileExists(credentials)) {
    return {
      findings: [warning('is gone, though a run is unfinished: the next run gives it up or finishes it', hint)],
    };
  }
  return { findings: [warning('is not there: run has nothing to do now and would end with 0', hint)] };
}
