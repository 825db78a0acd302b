import type { Command } from 'commander';
import { addInspectOption, type InspectArguments, openInspector } from '../inspectOption.ts';
import { type AgentArguments, addAgentOptions } from '../options.ts';
import { stopSignal } from '../stopSignal.ts';

const EXAMPLES = `
Example:
  thermal-provision run --dir /var/lib/thermal-camera

Without provision.txt it ends at once with status 0. After a failure provision.txt stays, so that the next boot tries
again; thermal_config.json is then unchanged. What happened: thermal-provision status.

On a terminal the progress is shown; with --log-format or --log-level, or without a terminal, log lines are.
`;

/** How long open handles may keep the process alive after its work is done. */
const LINGER_MS = 500;

/** `run`: one pass for the boot process. */
export function registerRun(program: Command): void {
  addInspectOption(addAgentOptions(program.command('run')))
    .description('provision the device if provision.txt asks for it, then end (for the boot process)')
    .addHelpText('after', EXAMPLES)
    .action(async (options: AgentArguments & InspectArguments) => {
      const signal = stopSignal();
      const { runDevice } = await import('./runDevice.ts');
      const { watched, close } = await openInspector(options);
      process.exitCode = await runDevice(options, signal, watched);
      await close();
      setTimeout(() => process.exit(), LINGER_MS).unref();
    });
}
