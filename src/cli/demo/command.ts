import type { Command } from 'commander';
import { addInspectOption, type InspectArguments, inspectArguments } from '../inspectOption.ts';

/** `demo`: the whole story in a few seconds, without a server and without a question. */
export function registerDemo(program: Command): void {
  addInspectOption(program.command('demo'))
    .description('show a provisioning with an interruption in the middle, against a built-in simulator')
    .option('--keep', 'keep the device folder of the demonstration')
    .action(async (options: { keep?: boolean } & InspectArguments) => {
      const { playDemo } = await import('./playDemo.ts');
      process.exitCode = await playDemo(options.keep === true, inspectArguments(options));
    });
}
