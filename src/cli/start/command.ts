import { type Command, Option } from 'commander';
import { addInspectOption, openInspector } from '../inspectOption.ts';
import { addAgentOptions, withVariable } from '../options.ts';
import { stopSignal } from '../stopSignal.ts';
import type { StartArguments } from './startDevice.ts';

const EXAMPLES = `
Temperature sources (--source):
  simulated        plausible values for every enabled measurement spot (default)
  command:COMMAND  a program that prints lines such as {"spot":1,"temperature":36.6}
  file:PATH        a file or FIFO to which such lines are appended

Examples:
  thermal-provision start --dir /var/lib/thermal-camera
  thermal-provision start --source "command:/usr/bin/read-camera --json"

When provisioning fails, normal operation goes on with the existing thermal_config.json, and says so; without one it
ends with the failure's status. Ends on SIGTERM or SIGINT with status 0.
`;

/** `start`: provision if asked for, then normal operation. */
export function registerStart(program: Command): void {
  addInspectOption(addAgentOptions(program.command('start')))
    .description('provision if asked for, then connect and publish telemetry until stopped')
    .addOption(
      withVariable(new Option('--source <source>', 'where temperatures come from'), 'THERMAL_SOURCE').default(
        'simulated',
      ),
    )
    .option('--no-provision', 'normal operation only')
    .addHelpText('after', EXAMPLES)
    .action(async (options: StartArguments) => {
      const signal = stopSignal();
      const { startDevice } = await import('./startDevice.ts');
      const { watched, close } = await openInspector(options);
      process.exitCode = await startDevice(options, signal, watched);
      await close();
    });
}
