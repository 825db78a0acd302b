import { type Command, Option } from 'commander';
import { addFolderOptions, type FolderArguments, pathsFrom } from '../options.ts';
import type { DoctorOptions } from './runDoctor.ts';

type DoctorArguments = FolderArguments & DoctorOptions;

const NOTES = `
Nothing is changed: no file is written, and of the provisioning session only CONNECT is sent, so the server creates
nothing. Folders are judged by their modes; whether they can really be written shows when "run" writes. Start it
as the user that "run" is started as: root passes every check of modes.

Exit status: what "run" would end with if provision.txt asked for it: 0, or that of the first check that failed (65
DATAERR, 66 NOINPUT, 69 UNAVAILABLE, 74 IOERR, 76 PROTOCOL, 77 NOPERM, 78 CONFIG). Warnings leave it at 0.
`;

/** `doctor`: everything that could stop a provisioning, before it is asked for. */
export function registerDoctor(program: Command): void {
  addFolderOptions(program.command('doctor'))
    .description('check everything that could stop a provisioning, without changing or creating anything')
    .option('--plan', 'also show how thermal_config.json would change, with its credentials masked')
    .addOption(
      new Option('--format <format>', 'output for people or for machines').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', NOTES)
    .action(async (options: DoctorArguments) => {
      const { runDoctor } = await import('../parts/diagnosis.ts');
      process.exitCode = await runDoctor(pathsFrom(options), options);
    });
}
