import { randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import { Failure } from '../failures/failure.ts';
import type { Log } from '../log/log.ts';
import type { Clock } from '../time/clock.ts';
import { createCommandSource } from './commandSource.ts';
import { createFileSource } from './fileSource.ts';
import { createSimulatedSource } from './simulatedSource.ts';
import type { TemperatureSource } from './temperatureSource.ts';

const SEEDS = 2 ** 31;

/**
 * The temperature source that `--source` names: `simulated`, `command:COMMAND` or `file:PATH`.
 * @throws Failure USAGE
 */
export function createTemperatureSource(text: string, context: { log: Log; clock: Clock }): TemperatureSource {
  if (text === 'simulated') return createSimulatedSource({ clock: context.clock, seed: randomInt(SEEDS) });
  const [kind, rest] = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)];
  if (kind === 'command' && rest !== '') return createCommandSource({ command: rest, ...context });
  if (kind === 'file' && rest !== '') return createFileSource({ path: resolve(rest), ...context });
  throw new Failure('USAGE', 'unknownSource', { source: text });
}
