import type { Command } from 'commander';
import { type AgentArguments, addAgentOptions, formatFrom, pathsFrom, stopSignal } from './agentOptions.ts';

const EXAMPLES = `
Example:
  thermal-provision run --dir /var/lib/thermal-camera

Without provision.txt it ends at once with status 0. After a failure provision.txt stays, so that the next boot tries
again; thermal_config.json is then unchanged. What happened: thermal-provision status.
`;

/** How long open handles may keep the process alive after its work is done. */
const LINGER_MS = 500;

/** `run`: one pass for the boot process. */
export function registerRun(program: Command): void {
  addAgentOptions(program.command('run'))
    .description('provision the device if provision.txt asks for it, then end (for the boot process)')
    .addHelpText('after', EXAMPLES)
    .action(async (options: AgentArguments) => {
      const signal = stopSignal();
      const [{ runAgent }, { winstonSink }, { VERSION }] = await Promise.all([
        import('../agent.ts'),
        import('../log/winstonSink.ts'),
        import('../version.ts'),
      ]);
      const log = winstonSink({ level: options.logLevel ?? 'info', format: formatFrom(options) });
      const result = await runAgent({
        paths: pathsFrom(options),
        agentVersion: VERSION,
        sink: log.sink,
        signal,
        keepBackups: options.keepBackups,
        boardId: process.env.THERMAL_BOARD_ID ?? '',
      });
      log.close();
      process.exitCode = result.exitStatus;
      setTimeout(() => process.exit(), LINGER_MS).unref();
    });
}
