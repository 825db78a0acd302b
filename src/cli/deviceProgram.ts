import type { Command } from 'commander';
import { registerBackups } from './backups/command.ts';
import { registerDoctor } from './doctor/command.ts';
import { registerExplain } from './explain/command.ts';
import { registerFleet } from './fleet/command.ts';
import { registerInit } from './init/command.ts';
import { registerInspect } from './inspect/command.ts';
import { registerReport } from './report/command.ts';
import { registerReset } from './reset/command.ts';
import { registerRun } from './run/command.ts';
import { newProgram, runProgram } from './runProgram.ts';
import { registerStart } from './start/command.ts';
import { registerStatus } from './status/command.ts';

const EPILOGUE = `
Two files in the device folder control provisioning. provision.txt requests it; only the presence of this file counts.
provision.json names the server and the key. "run" registers the device, tests the new credentials, backs up
thermal_config.json and writes the credentials into it. The next start resumes an interrupted run.

Exit status of "run" and "start" (names of sysexits.h, known to systemd):
   0  done, or nothing to do
  64  USAGE        the command line is wrong
  65  DATAERR      provision.json, or a file of an earlier run, can't be used
  66  NOINPUT      provision.json or the device folder is missing
  69  UNAVAILABLE  server not reached, all retries used; the next boot tries again
  70  SOFTWARE     a defect, or a run that makes no progress
  74  IOERR        the disk is full or broken
  75  TEMPFAIL     another agent runs, or this one was interrupted and will resume
  76  PROTOCOL     unexpected reply from the server
  77  NOPERM       the server or the file system refuses
  78  CONFIG       permanent cause: storage in RAM, or on the server: the device exists, limits, certificates
`;

/** The commands of a device, all that the Debian package has. Each loads its code only when it is called. */
export function createDeviceProgram(): Command {
  const program = newProgram().addHelpText('after', EPILOGUE);
  registerInit(program);
  registerRun(program);
  registerStart(program);
  registerStatus(program);
  registerExplain(program);
  registerReset(program);
  registerReport(program);
  registerInspect(program);
  registerDoctor(program);
  registerBackups(program);
  registerFleet(program);
  return program;
}

/** The program of the Debian package. */
export const main = (): Promise<void> => runProgram(createDeviceProgram());
