import { Command, CommanderError } from 'commander';
import { EXIT } from '../failures/exit.ts';
import { toFailure } from '../failures/failure.ts';
import { isJournalStream, withPriority } from '../systemd/journald.ts';
import { VERSION } from '../version.ts';

/** The program without commands. */
export const newProgram = (): Command =>
  new Command('thermal-provision')
    .description('Provisions a thermal camera with ThingsBoard over MQTT.')
    .version(VERSION)
    .showHelpAfterError('(see thermal-provision --help)')
    .exitOverride();

/** Runs the command of the command line. Reports every error and sets the exit status. */
export async function runProgram(program: Command): Promise<void> {
  // The reader of the output may disappear. The run must continue.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  // Node would end with 1, which is not a documented status. The files are consistent at every moment.
  process.on('uncaughtException', (error) => process.exit(report(error)));
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = error instanceof CommanderError ? statusOf(error) : report(error);
  }
}

/** commander has already printed help, the version or the error. */
const statusOf = ({ exitCode }: CommanderError): number => (exitCode === 0 ? EXIT.OK : EXIT.USAGE);

/** Prints an error that ends the program. @returns the exit status */
function report(error: unknown): number {
  const failure = toFailure(error);
  const text = `thermal-provision: ${failure.message}\n  ${failure.hint}`;
  process.stderr.write(`${isJournalStream(process.env) ? withPriority('error', text) : text}\n`);
  return failure.exitStatus;
}
