import type { Command } from 'commander';
import { addFolderOptions, type FolderArguments } from '../options.ts';

const NOTES = `
Exit status: as for "status". "explain" only reads the files, so it also works on a copy of the folder.
`;

/** `explain`: the information of `status` in sentences. */
export function registerExplain(program: Command): void {
  addFolderOptions(program.command('explain'))
    .description('say in sentences what happened, what is on the server, and what to type next')
    .addHelpText('after', NOTES)
    .action(async (given: FolderArguments) => {
      const { explainRun } = await import('../parts/files.ts');
      process.exitCode = await explainRun(given);
    });
}
