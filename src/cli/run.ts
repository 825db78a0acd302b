import type { Command } from 'commander';
import { type AgentArguments, addAgentOptions, pathsFrom } from './agentOptions.ts';
import { addInspectOption, type InspectArguments, openInspector } from './inspectOption.ts';
import { stopSignal } from './stopSignal.ts';

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
      const [{ runAgent }, { openRunOutput }, { VERSION }] = await Promise.all([
        import('../agent.ts'),
        import('./runOutput.ts'),
        import('../version.ts'),
      ]);
      const output = await openRunOutput(options);
      const inspector = await openInspector(options);
      const result = await runAgent({
        paths: pathsFrom(options),
        agentVersion: VERSION,
        sink: output.sink,
        onState: output.onState,
        ...(inspector === undefined ? {} : { inspect: inspector.observe }),
        signal,
        keepBackups: options.keepBackups,
        boardId: process.env.THERMAL_BOARD_ID ?? '',
      });
      await output.end(result);
      await inspector?.close();
      process.exitCode = result.exitStatus;
      setTimeout(() => process.exit(), LINGER_MS).unref();
    });
}
