import { type Command, InvalidArgumentError, Option } from 'commander';
import { EXIT } from '../../failures/exit.ts';
import { type AgentArguments, pathsFrom } from '../arguments.ts';
import { addFolderOptions } from '../options.ts';
import { stopSignal } from '../stopSignal.ts';

interface StatusArguments extends Pick<AgentArguments, 'dir' | 'stateDir'> {
  readonly format: 'text' | 'json';
  readonly long?: boolean;
  readonly wait?: boolean;
  readonly timeout: number;
}

const MAX_TIMEOUT_SECONDS = 86_400;
/** Longer than a run may take (RUN_TIME_LIMIT_MS in src/provision/pass.ts). */
const DEFAULT_TIMEOUT_SECONDS = 600;

const EXIT_STATUS = `
Exit status: 0 healthy (also while a run is under way), 1 error, 2 degraded, 64 wrong command line, 75 --timeout ran
out. Works from the files alone: while the agent runs, after a crash, and on a copy of the folder.
JSON: docs/status.schema.json describes it.
`;

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && seconds <= MAX_TIMEOUT_SECONDS) return seconds;
  throw new InvalidArgumentError(`Expected a number of seconds from 0 to ${MAX_TIMEOUT_SECONDS}.`);
}

/** `status`: what the files of a device say, for people or for machines. */
export function registerStatus(program: Command): void {
  addFolderOptions(program.command('status'))
    .description('say what the latest provisioning run did, does, or needs')
    .option('--long', 'with the history of the run and the last events')
    .option('--wait', 'wait until the run has ended')
    .addOption(
      new Option('--timeout <seconds>', 'longest wait').argParser(parseSeconds).default(DEFAULT_TIMEOUT_SECONDS),
    )
    .addOption(
      new Option('--format <format>', 'output for people or for machines').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', EXIT_STATUS)
    .action(async (options: StatusArguments) => {
      const [{ waitForEnd }, { makeStatus }, { statusText }, { statusJson }] = await Promise.all([
        import('../../status/waitForEnd.ts'),
        import('../../status/makeStatus.ts'),
        import('../../status/statusText.ts'),
        import('../../status/statusJson.ts'),
      ]);
      const boardId = process.env.THERMAL_BOARD_ID ?? '';
      const timeoutMs = options.wait === true ? options.timeout * 1000 : 0;
      const signal = options.wait === true ? stopSignal() : undefined;
      const { files, ended } = await waitForEnd(pathsFrom(options), timeoutMs, {
        boardId,
        ...(signal === undefined ? {} : { signal }),
      });
      const status = makeStatus(files);
      const long = options.long === true;
      process.stdout.write(options.format === 'json' ? statusJson(status) : statusText(status, long));
      process.exitCode = status.exitStatus;
      if (options.wait !== true || ended) return;
      process.stderr.write(`thermal-provision status: the run had not ended after ${options.timeout} s\n`);
      process.exitCode = EXIT.TEMPFAIL;
    });
}
