import type { Command } from 'commander';
import { addFolderOptions } from '../options.ts';
import type { ResetArguments } from './resetRun.ts';

const NOTES = `
thermal_config.json is never touched, and nothing is deleted: snapshot.json and credentials.json are renamed.

Exit status: 0 done, or nothing to give up; 64 no terminal to ask on, and no --yes; 75 an agent is at work, or the run
must be finished instead; 74 and 77 the files can't be changed. A “no” ends with 0 and changes nothing.
`;

/** `reset`: gives up an unfinished run. */
export function registerReset(program: Command): void {
  addFolderOptions(program.command('reset'))
    .description('give up an unfinished run, and say what may be left on the server')
    .option('--yes', 'do not ask')
    .addHelpText('after', NOTES)
    .action(async (options: ResetArguments) => {
      const { resetRun } = await import('../parts/files.ts');
      process.exitCode = await resetRun(options);
    });
}
