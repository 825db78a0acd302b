import { durableReplace } from '../../files/durable.ts';
import type { SimulatorEvent } from '../../simulator/events.ts';
import { DEFAULT_DEVICE_KEY, DEFAULT_DEVICE_SECRET, startSimulator } from '../../simulator/simulator.ts';
import { stopped, stopSignal } from '../stopSignal.ts';
import { type SimulateArguments, simulatorOptions } from './simulatorOptions.ts';

const CA_MODE = 0o644;

/**
 * Runs a simulator until SIGINT or SIGTERM. Prints its address, then one line for each event.
 * @throws Failure USAGE for a wrong option, and those of startSimulator and durableReplace
 */
export async function runSimulator(given: SimulateArguments): Promise<void> {
  const options = await simulatorOptions(given);
  const signal = stopSignal();
  const onEvent = given.quiet === true ? undefined : (event: SimulatorEvent): void => print(lineOf(event));
  const simulator = await startSimulator({ ...options, onEvent });
  try {
    if (given.caOut !== undefined) {
      await durableReplace(given.caOut, Buffer.from(simulator.caPem ?? ''), { mode: CA_MODE });
    }
    const { deviceKey = DEFAULT_DEVICE_KEY, deviceSecret = DEFAULT_DEVICE_SECRET } = options;
    const rest = simulator.restUrl === undefined ? '' : ` rest=${simulator.restUrl}`;
    print(`listening on ${simulator.url} device_key=${deviceKey} device_secret=${deviceSecret}${rest}`);
    await stopped(signal);
  } finally {
    await simulator.close();
  }
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function lineOf({ session, type, ...details }: SimulatorEvent): string {
  const shown = Object.entries(details).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return [new Date().toISOString(), `session=${session}`, type, ...shown].join(' ');
}
