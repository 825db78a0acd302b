import type { Command } from 'commander';
import { addInspectOption, type InspectArguments } from '../inspectOption.ts';

const NOTES = `
With --inspect, the demonstration begins when the printed address is open in a browser, or after 30 seconds. The page
stays until SIGINT (Ctrl+C) or SIGTERM ends the program with status 0.
`;

/** `demo`: shows a run with an interruption in a few seconds. It needs no server and no input. */
export function registerDemo(program: Command): void {
  addInspectOption(program.command('demo'))
    .description('show a provisioning with an interruption, with a built-in simulator as the server')
    .option('--keep', 'keep the device folder of the demonstration')
    .addHelpText('after', NOTES)
    .action(async ({ keep, inspect }: { keep?: boolean } & InspectArguments) => {
      const { playDemo } = await import('./playDemo.ts');
      process.exitCode = await playDemo({
        keep: keep === true,
        showPage: inspect === 'page' || inspect === true,
        agentArguments: typeof inspect === 'object' ? [`--inspect=stately:${inspect.statelyPort}`] : [],
      });
    });
}
