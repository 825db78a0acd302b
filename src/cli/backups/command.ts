import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { addFolderOptions, pathsFrom } from '../options.ts';
import type { BackupsAction, BackupsArguments } from './runBackups.ts';

const ACTIONS = ['list', 'diff', 'restore'];

const NOTES = `
  backups list       list all backups of thermal_config.json; number 1 is the newest
  backups diff 2     show the changes from backup 2 to the current file; credentials are masked
  backups restore 2  back up the current file, then restore backup 2. Restart the camera's client afterwards

"restore" refuses while an agent is running (75). Without a terminal it can't ask, so it needs --yes (otherwise 64).
Exit status: 0 done; 64 no such backup; 65 the backup can't be used; 66 no device folder; 74, 75, 77 as for "run".
`;

function parseNumber(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected the number of a backup from "backups list".');
}

/** `backups`: lists, compares and restores the backups of thermal_config.json. */
export function registerBackups(program: Command): void {
  addFolderOptions(
    program
      .command('backups')
      .addArgument(new Argument('[action]', 'what to do').choices(ACTIONS).default('list'))
      .addArgument(new Argument('[n]', 'number of the backup; 1 is the newest').argParser(parseNumber)),
  )
    .description('list, compare or restore the backups of thermal_config.json')
    .option('--yes', 'restore without asking')
    .addOption(
      new Option('--format <format>', 'output for people (text) or for programs (json)')
        .choices(['text', 'json'])
        .default('text'),
    )
    .addHelpText('after', NOTES)
    .action(async (action: BackupsAction, number: number | undefined, options: BackupsArguments) => {
      const { runBackups } = await import('../parts/files.ts');
      process.exitCode = await runBackups(pathsFrom(options), action, number, options);
    });
}
