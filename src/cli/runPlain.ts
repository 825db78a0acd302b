import type { AgentArguments } from './arguments.ts';
import { guarded } from './guarded.ts';
import { runDevice } from './run/runDevice.ts';

/**
 * `run` as a boot calls it. The build makes one file of this and of all it needs (scripts/build.mjs): the parts that
 * the commands share would be thirty-five, and each costs about a millisecond of a boot.
 */
export const runPlain = (options: AgentArguments, signal: AbortSignal): Promise<void> =>
  guarded(() => runDevice(options, signal));
