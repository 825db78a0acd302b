import type { Command } from 'commander';
import { addFolderOptions, type FolderArguments, pathsFrom } from '../options.ts';

interface ReportArguments extends FolderArguments {
  readonly out: string;
}

const NOTES = `
Example:
  thermal-provision report --dir /var/lib/thermal-camera --out run.html

The page holds everything in itself (no network, no secret): the chart with the path taken, a timeline with durations
and retries, error and hint, versions. Works from the files alone: while the agent runs, after a crash, and on a copy of
the folder. A file that is no report is not replaced.
`;

/** `report`: the latest run as one page, to look at or to send to support. */
export function registerReport(program: Command): void {
  addFolderOptions(program.command('report'))
    .description('write the latest run as one HTML page, to look at or to send to support')
    .requiredOption('--out <file>', 'where to write the page; -: to standard output')
    .addHelpText('after', NOTES)
    .action(async (options: ReportArguments) => {
      const { writeReport } = await import('../parts/diagnosis.ts');
      await writeReport(pathsFrom(options), options.out);
    });
}
