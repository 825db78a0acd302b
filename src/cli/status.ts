import { type Command, Option } from 'commander';
import { type AgentArguments, addFolderOptions, pathsFrom } from './agentOptions.ts';

interface StatusArguments extends Pick<AgentArguments, 'dir' | 'stateDir'> {
  readonly format: 'text' | 'json';
}

const EXIT_STATUS = `
Exit status: 0 healthy (also while a run is under way), 1 the last run failed, 64 wrong command line.
Works from the files alone: while the agent runs, after a crash, and on a copy of the folder.
`;

/** `status`: what the snapshot says, for people or for machines. */
export function registerStatus(program: Command): void {
  addFolderOptions(program.command('status'))
    .description('say what the latest provisioning run did, does, or needs')
    .addOption(
      new Option('--format <format>', 'output for people or for machines').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', EXIT_STATUS)
    .action(async (options: StatusArguments) => {
      const { reportStatus } = await import('./reportStatus.ts');
      const report = await reportStatus(pathsFrom(options));
      process.stdout.write(options.format === 'json' ? `${JSON.stringify(report.json, null, 2)}\n` : report.text);
      process.exitCode = report.exitStatus;
    });
}
