import { lockHolder } from '../device/lock.ts';
import { type Checked, passed, warning } from './check.ts';

/** Whether an agent is working on one of the folders at this moment; that passes by itself. */
export async function checkAgentAtWork(...folders: readonly string[]): Promise<Checked<never>> {
  const pid = await lockHolder(...folders);
  if (pid === undefined) return { findings: [passed('no agent is at work')] };
  return {
    findings: [
      warning(
        `process ${pid} is working on this folder; a second run would end with 75 (LOCKED)`,
        'Wait until it has ended.',
      ),
    ],
  };
}
