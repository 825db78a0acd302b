/** What a trial does, drawn from its seed: which device and server, and when the agent is killed. */

import type { ProvisionState } from '../../../machines/provision.states.ts';
import type { SimulatorEvent } from '../../../src/simulator/events.ts';
import type { SimulatorOptions } from '../../../src/simulator/simulator.ts';
import { type SeededRandom, seededRandom } from './seededRandom.ts';

export const PRE_PROVISIONED_NAME = 'hall-7';

export interface Scenario {
  readonly name: string;
  readonly server: SimulatorOptions;
  /** Section `device` of provision.json. */
  readonly device?: Readonly<Record<string, unknown>>;
  /** Whether there is a thermal_config.json before. */
  readonly configured: boolean | 'either';
}

const SCENARIOS: readonly [Scenario, ...Scenario[]] = [
  { name: 'fresh device', server: {}, configured: false },
  { name: 'device with a configuration', server: {}, configured: true },
  { name: 'answer delayed', server: { latencyMs: 200 }, configured: 'either' },
  { name: 'slow commit', server: { commitDelayMs: 250 }, configured: 'either' },
  {
    name: 'pre-provisioned',
    server: {
      strategy: 'CHECK_PRE_PROVISIONED_DEVICES',
      reprovision: true,
      devices: [{ name: PRE_PROVISIONED_NAME }],
    },
    device: { name: PRE_PROVISIONED_NAME },
    configured: 'either',
  },
];

/**
 * A moment to kill the agent at: so many milliseconds after its start, after its log says that it enters a state, or
 * after what the server sees of it.
 */
export interface KillMoment {
  readonly after: 'spawn' | `enters ${ProvisionState}` | SimulatorEvent['type'];
  readonly delayMs: number;
}

export interface KillPlan {
  readonly scenario: Scenario;
  readonly configured: boolean;
  readonly kills: readonly KillMoment[];
}

const SERVER_MOMENTS: readonly [SimulatorEvent['type'], ...SimulatorEvent['type'][]] = [
  'request',
  'commit',
  'answer',
  'connack',
  'attributeRequest',
  'attributeRequest',
];
/** States too short to be hit by chance. */
const SHORT_STATES: readonly [ProvisionState, ...ProvisionState[]] = ['detect', 'validate', 'prepare', 'finalize'];
/** Longer than the agent needs from its last exchange with the server to its end. */
const DELAY_MS = 60;

function drawMoment(random: SeededRandom, runMs: number): KillMoment {
  const kind = random.next();
  if (kind < 0.2) return { after: 'spawn', delayMs: random.next() * runMs };
  if (kind < 0.35) return { after: `enters ${random.pick(SHORT_STATES)}`, delayMs: random.next() * 8 };
  const after = random.pick(SERVER_MOMENTS);
  // Half of the kills strike at once, where the next step has hardly begun.
  const delayMs = random.next() < 0.5 ? random.next() * 8 : random.next() * DELAY_MS;
  return { after, delayMs };
}

/** @param runMs how long a run takes that nobody disturbs, in milliseconds */
export function drawKillPlan(seed: string, runMs: number): KillPlan {
  const random = seededRandom(seed);
  const scenario = random.pick(SCENARIOS);
  const configured = scenario.configured === 'either' ? random.next() < 0.5 : scenario.configured;
  const count = random.pick([1, 1, 1, 1, 1, 1, 2, 2, 3, 3]);
  return { scenario, configured, kills: Array.from({ length: count }, () => drawMoment(random, runMs)) };
}
