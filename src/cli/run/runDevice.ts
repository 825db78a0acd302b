import { winstonSink } from '../../log/winstonSink.ts';
import { runAgent } from '../../provision/agent.ts';
import type { AgentOptions } from '../../provision/pass.ts';
import { type AgentArguments, agentOptions, logLines } from '../options.ts';
import { isDrawable } from '../terminal/paint.ts';
import { openProgress, type Progress } from '../terminal/progress.ts';

/**
 * Provisions the device if requested, for the boot process.
 * @param signal interrupts the run
 * @param watched inspector of the run
 * @returns the exit status
 */
export async function runDevice(
  given: AgentArguments,
  signal: AbortSignal,
  watched: Pick<AgentOptions, 'inspect'>,
): Promise<number> {
  const { sink, onState, end } = openOutput(given);
  const result = await runAgent(agentOptions(given, { sink, onState, signal, ...watched }));
  await end(result);
  return result.exitStatus;
}

/** Shows progress on a terminal. An explicit --log-format or --log-level turns the progress display off. */
function openOutput(given: AgentArguments): Progress {
  const wantsLines = given.logFormat !== undefined || given.logLevel !== undefined;
  const progress = wantsLines || !isDrawable(process.stderr) ? undefined : openProgress(given.dir);
  if (progress !== undefined) return progress;
  const { sink, close } = winstonSink(logLines(given));
  return { sink, onState: () => {}, end: async () => close() };
}
