import { externalSettings } from '../../config/provision/externalSettings.ts';
import { runAgent } from '../../provision/agent.ts';
import { VERSION } from '../../version.ts';
import type { RunInspector } from '../../watch/observer.ts';
import { type AgentArguments, pathsFrom } from '../arguments.ts';
import { openRunOutput } from './runOutput.ts';

/** How long open handles may keep the process alive after its work is done. */
const LINGER_MS = 500;

/**
 * One pass over a device folder, for the boot process; sets the exit status.
 * @param signal ends it in good order
 * @param inspector who is told what the chart does
 */
export async function runDevice(options: AgentArguments, signal: AbortSignal, inspector?: RunInspector): Promise<void> {
  const output = await openRunOutput(options);
  const result = await runAgent({
    paths: pathsFrom(options),
    agentVersion: VERSION,
    sink: output.sink,
    onState: output.onState,
    ...(inspector === undefined ? {} : { inspect: inspector.observe }),
    signal,
    keepBackups: options.keepBackups,
    splaySeconds: options.splay,
    boardId: process.env.THERMAL_BOARD_ID ?? '',
    externalSettings: externalSettings(process.env),
  });
  await output.end(result);
  await inspector?.close();
  process.exitCode = result.exitStatus;
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
