import { Command, CommanderError } from 'commander';
import { EXIT } from '../failures/exit.ts';
import { VERSION } from '../version.ts';
import { registerBackups } from './backups/command.ts';
import type { Program } from './boot.ts';
import { registerDoctor } from './doctor/command.ts';
import { registerExplain } from './explain/command.ts';
import { guarded } from './guarded.ts';
import { registerInspect } from './inspect/command.ts';
import { registerReport } from './report/command.ts';
import { registerReset } from './reset/command.ts';
import { registerRun } from './run/command.ts';
import { registerStart } from './start/command.ts';
import { registerStatus } from './status/command.ts';
import { adoptStopSignal } from './stopSignal.ts';

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

/** Parses the command line, runs the command, sets the exit status. */
export async function runProgram(program: Command, argv: readonly string[], signal?: AbortSignal): Promise<void> {
  if (signal !== undefined) adoptStopSignal(signal);
  for (const command of program.commands) command.exitOverride();
  await guarded(() =>
    program.parseAsync(argv).catch((error: unknown) => {
      if (!(error instanceof CommanderError)) throw error;
      // Help and version were printed; everything else is a wrong command line.
      process.exitCode = error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
    }),
  );
}

/** The program of the Debian package. */
export const main: Program['main'] = (argv, signal) => runProgram(createDeviceProgram(), argv, signal);
