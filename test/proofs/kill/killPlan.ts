/** The plan of a trial, generated from its seed: device, server, and the moments of the kills. */

import type { ProvisionState } from '../../../machines/provision.states.ts';
import type { SimulatorEvent } from '../../../src/simulator/events.ts';
import type { SimulatorOptions } from '../../../src/simulator/simulator.ts';
import type { LoginKind } from '../certify/logins.ts';
import { type SeededRandom, seededRandom } from './seededRandom.ts';

const PRE_PROVISIONED_NAME = 'hall-7';

export interface Scenario {
  readonly name: string;
  readonly server: SimulatorOptions;
  /** Default: an access token. */
  readonly kind?: LoginKind;
  /** Section `device` of provision.json. */
  readonly device?: Readonly<Record<string, unknown>>;
  /** Whether thermal_config.json exists before the run. */
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
  { name: 'MQTT_BASIC', server: {}, kind: 'MQTT_BASIC', configured: 'either' },
  { name: 'X.509', server: {}, kind: 'X.509', configured: 'either' },
  { name: 'derived token', server: {}, kind: 'derived token', configured: 'either' },
];

/**
 * A moment for a kill: some milliseconds after the agent's start, after the log line about a new state, or after an
 * event of the server.
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
/** States that are too short for random kills. */
const SHORT_STATES: readonly [ProvisionState, ...ProvisionState[]] = ['detect', 'validate', 'prepare', 'finalize'];
/** Longer than the time from the agent's last exchange with the server to its end. */
const DELAY_MS = 60;

function generateMoment(random: SeededRandom, runMs: number): KillMoment {
  const kind = random.next();
  if (kind < 0.2) return { after: 'spawn', delayMs: random.next() * runMs };
  if (kind < 0.35) return { after: `enters ${random.pick(SHORT_STATES)}`, delayMs: random.next() * 8 };
  const after = random.pick(SERVER_MOMENTS);
  // Half of the kills strike almost at once, at the start of the next step.
  const delayMs = random.next() < 0.5 ? random.next() * 8 : random.next() * DELAY_MS;
  return { after, delayMs };
}

/** @param runMs duration of a run without a kill, ms */
export function generateKillPlan(seed: string, runMs: number): KillPlan {
  const random = seededRandom(seed);
  const scenario = random.pick(SCENARIOS);
  const configured = scenario.configured === 'either' ? random.next() < 0.5 : scenario.configured;
  const count = random.pick([1, 1, 1, 1, 1, 1, 2, 2, 3, 3]);
  return { scenario, configured, kills: Array.from({ length: count }, () => generateMoment(random, runMs)) };
}
