import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { addFolderOptions, pathsFrom } from '../options.ts';
import type { BackupsAction, BackupsArguments } from './runBackups.ts';

const ACTIONS = ['list', 'diff', 'restore'];

const NOTES = `
  backups list       every backup of thermal_config.json, the newest is number 1
  backups diff 2     what has changed from backup 2 to the current file; credentials are masked
  backups restore 2  put backup 2 back; the current file becomes a backup first. The camera's client must be restarted

restore refuses while an agent is at work (75). Without a terminal it asks nobody, so it needs --yes (else 64).
Exit status: 0, 64 no such backup, 65 the backup can't be used, 66 no device folder, 74, 75 and 77 as with "run".
`;

function parseNumber(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected the number of a backup, as "backups list" shows it.');
}

/** `backups`: looks at the copies of thermal_config.json, and puts one back. */
export function registerBackups(program: Command): void {
  addFolderOptions(
    program
      .command('backups')
      .addArgument(new Argument('[action]', 'what to do').choices(ACTIONS).default('list'))
      .addArgument(new Argument('[n]', 'number of the backup, 1 is the newest').argParser(parseNumber)),
  )
    .description('list, compare or restore the backups of thermal_config.json')
    .option('--yes', 'restore without asking')
    .addOption(
      new Option('--format <format>', 'output for people or for machines').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', NOTES)
    .action(async (action: BackupsAction, number: number | undefined, options: BackupsArguments) => {
      const { runBackups } = await import('../parts/files.ts');
      process.exitCode = await runBackups(pathsFrom(options), action, number, options);
    });
}
