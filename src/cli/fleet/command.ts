import { type Command, Option } from 'commander';
import type { FleetArguments } from './showFleet.ts';

const NOTES = `
Examples:
  ssh camera-7 thermal-provision status --format json --dir /var/lib/thermal-camera >collected/camera-7.json
  thermal-provision fleet collected
  thermal-provision fleet --format html --out fleet.html collected

An input is a device folder or a copy of one, a folder that holds device folders or files, a file, or - for standard
input. A file holds one or more documents of "status --format json", in any layout, for example one on each line. The
newest document of a camera counts. Inputs that can't be used are counted and named.

Exit status: as for "status", of the worst camera: 0 healthy or running; 1 an error, an input that can't be used, or no
camera at all; 2 degraded; 64 wrong command line. Files of other programs do not change it.
docs/fleet.schema.json describes the JSON.
`;

/** `fleet`: many cameras at once, from their status documents or their folders. */
export function registerFleet(program: Command): void {
  program
    .command('fleet')
    .description('say which cameras of many need somebody, and why')
    .argument('[input...]', 'folders and files to read; -: standard input, also the default if it is not a terminal')
    .option('--all', 'do not shorten long lists')
    .addOption(
      new Option('--format <format>', 'output for people (text, html) or for programs (json)')
        .choices(['text', 'json', 'html'])
        .default('text'),
    )
    .option('--out <file>', 'file to write; -: standard output')
    .addHelpText('after', NOTES)
    .action(async (inputs: string[], options: FleetArguments, command: Command) => {
      if (inputs.length === 0 && process.stdin.isTTY) command.error('error: name a folder or a file');
      const { showFleet } = await import('../parts/diagnosis.ts');
      process.exitCode = await showFleet(inputs.length === 0 ? ['-'] : inputs, options);
    });
}
