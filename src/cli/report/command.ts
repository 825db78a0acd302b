import type { Command } from 'commander';
import { addFolderOptions, type FolderArguments, pathsFrom } from '../options.ts';

interface ReportArguments extends FolderArguments {
  readonly out: string;
}

const NOTES = `
Example:
  thermal-provision report --dir /var/lib/thermal-camera --out run.html

The page shows the chart with the path of the run, a timeline with durations and retries, error, hint and versions. It
contains no secret and needs no network. "report" only reads the files, so it works while the agent runs, after a crash,
and on a copy of the folder. It replaces an older report, but no other file.
`;

/** `report`: the latest run as one page for support. */
export function registerReport(program: Command): void {
  addFolderOptions(program.command('report'))
    .description('write the latest run as one HTML page, for example for support')
    .requiredOption('--out <file>', 'file to write; -: standard output')
    .addHelpText('after', NOTES)
    .action(async (options: ReportArguments) => {
      const { writeReport } = await import('../parts/diagnosis.ts');
      await writeReport(pathsFrom(options), options.out);
    });
}
