import { type Command, Option } from 'commander';
import { addInspectOption, openInspector } from '../inspectOption.ts';
import { addAgentOptions, withVariable } from '../options.ts';
import { stopSignal } from '../stopSignal.ts';
import type { StartArguments } from './startDevice.ts';

const EXAMPLES = `
Temperature sources (--source):
  simulated        plausible values for every enabled measurement spot (default)
  command:COMMAND  program that prints lines such as {"spot":1,"temperature":36.6}
  file:PATH        file or FIFO to which such lines are appended

Examples:
  thermal-provision start --dir /var/lib/thermal-camera
  thermal-provision start --source "command:/usr/bin/read-camera --json"

If provisioning fails, "start" logs the failure and uses the existing thermal_config.json. Without that file, it ends
with the status of the failure. SIGTERM or SIGINT ends it with status 0. Status 75 asks the service manager to start it
again: the server has asked for a new device.
`;

/** `start`: provisions if requested, then starts normal operation. */
export function registerStart(program: Command): void {
  addInspectOption(addAgentOptions(program.command('start')))
    .description('provision if requested, then connect and publish telemetry until stopped')
    .addOption(
      withVariable(new Option('--source <source>', 'source of the temperatures'), 'THERMAL_SOURCE').default(
        'simulated',
      ),
    )
    .option('--no-provision', 'normal operation only')
    .addOption(
      withVariable(
        new Option('--allow-rpc [answer]', 'whether the server may ask for a new device (RPC method reprovision)'),
        'THERMAL_ALLOW_RPC',
      )
        .choices(['yes', 'no'])
        .preset('yes')
        .default('no'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (options: StartArguments) => {
      const signal = stopSignal();
      const { startDevice } = await import('./startDevice.ts');
      const { watched, close } = await openInspector(options);
      process.exitCode = await startDevice(options, signal, watched);
      await close();
    });
}
