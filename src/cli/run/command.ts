import type { Command } from 'commander';
import { addInspectOption, type InspectArguments, openInspector } from '../inspectOption.ts';
import { type AgentArguments, addAgentOptions } from '../options.ts';
import { exitSoon, stopSignal } from '../stopSignal.ts';

const EXAMPLES = `
Example:
  thermal-provision run --dir /var/lib/thermal-camera

Without provision.txt, "run" ends at once with status 0. After a failure, thermal_config.json is unchanged, and
provision.txt stays, so the next boot tries again. "thermal-provision status" says what happened.

On a terminal, "run" shows its progress. With --log-format or --log-level, or without a terminal, it prints log lines.
`;

/** `run`: provisions once, for the boot process. */
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
      exitSoon();
    });
}
