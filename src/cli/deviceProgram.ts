import { Command, CommanderError } from 'commander';
import { EXIT } from '../failures/exit.ts';
import { toFailure } from '../failures/failure.ts';
import { isJournalStream, withPriority } from '../systemd/journald.ts';
import { VERSION } from '../version.ts';
import { registerBackups } from './backups/command.ts';
import { registerDoctor } from './doctor/command.ts';
import { registerExplain } from './explain/command.ts';
import { registerInspect } from './inspect/command.ts';
import { registerReport } from './report/command.ts';
import { registerReset } from './reset/command.ts';
import { registerRun } from './run/command.ts';
import { registerStart } from './start/command.ts';
import { registerStatus } from './status/command.ts';

const EPILOGUE = `
A device is set up by two files in its folder: provision.txt (its presence asks for provisioning) and provision.json
(server and key). "run" registers the device, proves the new credentials, backs up thermal_config.json and writes them
into it. An interrupted run goes on at the next start.

Exit status of "run" and "start" (names of sysexits.h, known to systemd):
   0  done, or nothing to do
  64  USAGE        the command line is wrong
  65  DATAERR      provision.json, or a file of an earlier run, can't be used
  66  NOINPUT      provision.json or the device folder is missing
  69  UNAVAILABLE  server not reached, retries spent; the next boot tries again
  70  SOFTWARE     a defect, or a run that never gets any further
  74  IOERR        the disk is full or broken
  75  TEMPFAIL     another agent runs, or this one was interrupted and will resume
  76  PROTOCOL     the server's answers make no sense
  77  NOPERM       the server or the file system refuses
  78  CONFIG       permanent cause on the server: the device exists, limits, certificates
`;

/** The commands of a device (the Debian package has no others); each loads its own parts only when it is called. */
export function createDeviceProgram(): Command {
  const program = new Command('thermal-provision')
    .description('Provisions a thermal camera with ThingsBoard over MQTT.')
    .version(VERSION)
    .addHelpText('after', EPILOGUE)
    .showHelpAfterError('(see thermal-provision --help)')
    .exitOverride();
  registerRun(program);
  registerStart(program);
  registerStatus(program);
  registerExplain(program);
  registerReset(program);
  registerReport(program);
  registerInspect(program);
  registerDoctor(program);
  registerBackups(program);
  return program;
}

/** Runs the command that the command line names. Every error is reported, and sets the exit status. */
export async function runProgram(program: Command): Promise<void> {
  // The reader of the output may go away; that must not end a provisioning.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  // Node would end with 1, which is no documented status; what is on disk is consistent at every moment.
  process.on('uncaughtException', (error) => process.exit(report(error)));
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = error instanceof CommanderError ? statusOf(error) : report(error);
  }
}

/** Commander has printed help, the version, or what is wrong with the command line. */
const statusOf = ({ exitCode }: CommanderError): number => (exitCode === 0 ? EXIT.OK : EXIT.USAGE);

/** Prints what ended the program. @returns the exit status */
function report(error: unknown): number {
  const failure = toFailure(error);
  const text = `thermal-provision: ${failure.message}\n  ${failure.hint}`;
  process.stderr.write(`${isJournalStream(process.env) ? withPriority('error', text) : text}\n`);
  return failure.exitStatus;
}

/** The program of the Debian package. */
export const main = (): Promise<void> => runProgram(createDeviceProgram());
