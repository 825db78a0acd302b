import type { AgentArguments } from './agentArguments.ts';
import { guarded } from './guarded.ts';
import { runDevice } from './runDevice.ts';

/**
 * `run` as a boot calls it. The build makes one file of this and of all it needs (scripts/build.mjs): the parts that
 * the commands share would be thirty-five, and each costs about a millisecond of a boot.
 */
export const runPlain = (options: AgentArguments, signal: AbortSignal): Promise<void> =>
  guarded(() => runDevice(options, signal));
