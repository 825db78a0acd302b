import type { Command } from 'commander';
import { addFolderOptions } from '../options.ts';
import type { ResetArguments } from './resetRun.ts';

const NOTES = `
"reset" renames snapshot.json and credentials.json. It deletes nothing and never changes thermal_config.json.

Exit status: 0 done, or nothing to give up, or the answer was no; 64 neither a terminal nor --yes; 75 an agent is
running, or the run must be finished instead; 74 and 77 the files can't be changed.
`;

/** `reset`: gives up an unfinished run. */
export function registerReset(program: Command): void {
  addFolderOptions(program.command('reset'))
    .description('give up an unfinished run and say what may be left on the server')
    .option('--yes', 'do not ask')
    .addHelpText('after', NOTES)
    .action(async (options: ResetArguments) => {
      const { resetRun } = await import('../parts/files.ts');
      process.exitCode = await resetRun(options);
    });
}
