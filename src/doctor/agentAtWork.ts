import { lockHolder } from '../device/lock.ts';
import { type Checked, passed, warning } from './check.ts';

/** Checks whether an agent is running on one of the folders. This is only a warning, because the agent will end. */
export async function checkAgentAtWork(...folders: readonly string[]): Promise<Checked<never>> {
  const pid = await lockHolder(...folders);
  if (pid === undefined) return { findings: [passed('no other agent is running')] };
  return {
    findings: [
      warning(
        `process ${pid} is using this folder; a second run would exit with 75 (LOCKED)`,
        `Wait until process ${pid} ends.`,
      ),
    ],
  };
}
