import { type Command, InvalidArgumentError, Option } from 'commander';
import { addFolderOptions } from '../options.ts';
import type { StatusArguments } from './showStatus.ts';

const MAX_TIMEOUT_SECONDS = 86_400;
/** Longer than the longest run (RUN_TIME_LIMIT_MS in src/provision/pass.ts). */
const DEFAULT_TIMEOUT_SECONDS = 600;

const EXIT_STATUS = `
Exit status: 0 healthy or running; 1 error; 2 degraded; 64 wrong command line; 75 --timeout ran out.
"status" only reads the files of the device, so it works while the agent runs, after a crash, and on a copy of the folder.
docs/status.schema.json describes the JSON.
`;

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && seconds <= MAX_TIMEOUT_SECONDS) return seconds;
  throw new InvalidArgumentError(`Expected a number of seconds from 0 to ${MAX_TIMEOUT_SECONDS}.`);
}

/** `status`: the state of the latest run, for people or for programs. */
export function registerStatus(program: Command): void {
  addFolderOptions(program.command('status'))
    .description('say what the latest run did, does or needs')
    .option('--long', 'also show the history of the run and the last events')
    .option('--wait', 'wait until the run has ended')
    .addOption(
      new Option('--timeout <seconds>', 'longest time that --wait waits')
        .argParser(parseSeconds)
        .default(DEFAULT_TIMEOUT_SECONDS),
    )
    .addOption(
      new Option('--format <format>', 'output for people (text), for programs (json) or for Prometheus (openmetrics)')
        .choices(['text', 'json', 'openmetrics'])
        .default('text'),
    )
    .option('--out <file>', 'file to write; -: standard output')
    .addHelpText('after', EXIT_STATUS)
    .action(async (options: StatusArguments) => {
      const { showStatus } = await import('../parts/files.ts');
      process.exitCode = await showStatus(options);
    });
}
