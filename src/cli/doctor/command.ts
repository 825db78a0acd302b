import { type Command, Option } from 'commander';
import { addFolderOptions, type FolderArguments, pathsFrom } from '../options.ts';
import { exitSoon } from '../stopSignal.ts';
import type { DoctorOptions } from './runDoctor.ts';

type DoctorArguments = FolderArguments & DoctorOptions;

const NOTES = `
"doctor" changes nothing. It writes no file. It checks key and secret with a provisioning request for a name of 256
characters, which the server always refuses, so no device is created; --no-key-check leaves this request out. "doctor"
assesses folders by their modes; only "run" really writes to them. Start "doctor" as the user of "run", because root
passes every check of modes.

Exit status: the status that "run" would end with: 0, or the status of the first failed check (65 DATAERR, 66 NOINPUT,
69 UNAVAILABLE, 74 IOERR, 76 PROTOCOL, 77 NOPERM, 78 CONFIG). Warnings do not change it.
`;

/** `doctor`: finds everything that could stop a run, before the run. */
export function registerDoctor(program: Command): void {
  addFolderOptions(program.command('doctor'))
    .description('check everything that could stop a provisioning, without changing anything')
    .option('--plan', 'also show how thermal_config.json would change; credentials are masked')
    .option('--no-key-check', 'do not ask the server whether key and secret are right')
    .addOption(
      new Option('--format <format>', 'output for people (text) or for programs (json)')
        .choices(['text', 'json'])
        .default('text'),
    )
    .addHelpText('after', NOTES)
    .action(async (options: DoctorArguments) => {
      const { runDoctor } = await import('../parts/diagnosis.ts');
      process.exitCode = await runDoctor(pathsFrom(options), options);
      exitSoon();
    });
}
