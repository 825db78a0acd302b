import type { Command } from 'commander';
import { addFolderOptions, type FolderArguments } from '../options.ts';

const NOTES = `
Exit status: as status. Works from the files alone, also on a copy of the folder.
`;

/** `explain`: the story behind `status`, in plain words. */
export function registerExplain(program: Command): void {
  addFolderOptions(program.command('explain'))
    .description('say in plain words what happened, what the server holds, and what to type next')
    .addHelpText('after', NOTES)
    .action(async (given: FolderArguments) => {
      const { explainRun } = await import('../parts/files.ts');
      process.exitCode = await explainRun(given);
    });
}
