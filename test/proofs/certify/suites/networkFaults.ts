import { join } from 'node:path';
import type { Fault } from '../../../../src/simulator/faults.ts';
import type { PlacedFault } from '../../../support/faultProxy.ts';
import { inParallel } from '../inParallel.ts';
import { type LoginKind, type LoginSupplies, prepareLogins, setupOf } from '../logins.ts';
import { faultText, planFaults, pointsOf } from '../network/faultPlan.ts';
import { runProvisioningTrial, type Tls, type TrialResult } from '../network/provisioningTrial.ts';
import { runTelemetryTrial } from '../network/telemetryTrial.ts';
import { isInPart, scenariosIn } from '../part.ts';
import type { Suite, SuiteOptions, SuiteResult } from '../suite.ts';

/** Trials mostly wait for time limits, so each worker runs this many of them. */
const TRIALS_PER_WORKER = 16;

/** On a busy machine a client may close a connection before the fault: then the trial is repeated. */
const ATTEMPTS = 3;

interface Conversation {
  readonly name: string;
  readonly serverFaults: readonly Fault[];
  /** The tried connections of the run without faults; 1 is the request. */
  readonly connections: readonly number[];
  /** Absent: an access token, with and without TLS. */
  readonly kind?: LoginKind;
  readonly cardLost?: true;
  /** A normal run has each nth of the faults. */
  readonly each?: number;
}

const CONVERSATIONS: readonly Conversation[] = [
  { name: 'request and verify', serverFaults: [], connections: [1, 2] },
  {
    name: 'reconcile and verify',
    serverFaults: [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }],
    // Connection 2 is the standby one. The agent closes it unused, because the fault may have broken it too.
    connections: [3, 4],
  },
  { name: 'MQTT_BASIC', kind: 'MQTT_BASIC', serverFaults: [], connections: [1, 2], each: 5 },
  { name: 'X.509', kind: 'X.509', serverFaults: [], connections: [1, 2], each: 5 },
  // Connection 1 asks whether the server knows the device.
  { name: 'derived token', kind: 'derived token', serverFaults: [], connections: [1, 2, 3], each: 7 },
  {
    name: 'derived token, card lost',
    kind: 'derived token',
    cardLost: true,
    serverFaults: [],
    connections: [1, 2, 3],
    each: 7,
  },
];

/** Whether a conversation is tried on this transport: the kinds of credentials other than a token have one. */
const isOn = ({ kind }: Conversation, tls: Tls | undefined): boolean =>
  kind === undefined || (kind === 'X.509') === (tls !== undefined);

interface Trial {
  readonly name: string;
  readonly point: string;
  run(folder: string): Promise<TrialResult>;
}

const transportOf = (tls: Tls | undefined): string => (tls === undefined ? 'plain' : 'TLS');

interface Plan {
  readonly trials: readonly Trial[];
  /** Problems of the run without a fault. */
  readonly problems: readonly string[];
}

/** Plans every fault in every session, from a recorded run without a fault. */
async function planTrials(options: SuiteOptions, supplies: LoginSupplies, tls: Tls | undefined): Promise<Plan> {
  const framing = tls === undefined ? 'mqtt' : 'tls';
  const trials: Trial[] = [];
  const problems: string[] = [];
  const noteProblems = (session: string, recorded: TrialResult): void => {
    problems.push(
      ...recorded.problems.map((problem) => `${transportOf(tls)}, ${session}, without a fault: ${problem}`),
    );
  };
  const add = (
    session: string,
    faults: readonly PlacedFault[],
    run: (fault: PlacedFault) => Trial['run'],
    retries = '',
  ): void => {
    const points = pointsOf(faults, framing);
    for (const [index, fault] of faults.entries()) {
      const name = `${transportOf(tls)}, ${session}${retries}: ${faultText(fault)}`;
      trials.push({ name, point: `${session} ${points[index] ?? ''}`, run: run(fault) });
    }
  };
  for (const conversation of scenariosIn(CONVERSATIONS, options.part)) {
    if (!isOn(conversation, tls)) continue;
    const { name, serverFaults, connections, kind = 'access token', cardLost, each = 1 } = conversation;
    const given = { tls, setup: setupOf(kind, supplies), serverFaults };
    const recorded = await runProvisioningTrial(join(options.scratch, 'recording'), { ...given, maxRetries: 1 });
    noteProblems(name, recorded);
    const faults = planFaults(recorded.seen, { connections, full: options.full, repeat: true }).filter(
      (_fault, index) => options.full || index % each === 0,
    );
    for (const maxRetries of options.full ? [0, 1, 2, 3] : [undefined]) {
      let count = 0;
      add(
        name,
        faults,
        (fault) => {
          const retries = maxRetries ?? 1 + (count++ % 3);
          return (folder) => runProvisioningTrial(folder, { ...given, cardLost, maxRetries: retries, fault });
        },
        maxRetries === undefined ? '' : ` with ${maxRetries} retries`,
      );
    }
  }
  const recorded = await runTelemetryTrial(join(options.scratch, 'recording'), { tls });
  noteProblems('telemetry', recorded);
  const faults = planFaults(recorded.seen, { connections: [1], full: options.full, repeat: false });
  add('telemetry', faults, (fault) => (folder) => runTelemetryTrial(folder, { tls, fault }));
  return { trials, problems };
}

async function tryUntilFired(trial: Trial, folder: string, attempt = 1): Promise<TrialResult> {
  const result = await trial.run(`${folder}-${attempt}`);
  if (result.fired || result.problems.length > 0 || attempt === ATTEMPTS) return result;
  return tryUntilFired(trial, folder, attempt + 1);
}

async function run(options: SuiteOptions): Promise<SuiteResult> {
  const supplies = await prepareLogins(options.scratch);
  const plans = [await planTrials(options, supplies, undefined), await planTrials(options, supplies, supplies)];
  const trials = plans.flatMap((plan) => plan.trials).filter(({ name }) => isInPart(name, options.part));
  const violations = plans.flatMap(({ problems }) => problems);
  let faults = 0;
  const atOnce = options.workers * TRIALS_PER_WORKER;
  await inParallel(
    trials,
    atOnce,
    async (trial, index) => {
      const { fired, problems } = await tryUntilFired(trial, join(options.scratch, `trial-${index}`));
      if (fired) faults += 1;
      else violations.push(`${trial.name}: the fault did not strike`);
      violations.push(...problems.map((problem) => `${trial.name}: ${problem}`));
    },
    options.progress,
  );
  return { points: new Set(trials.map(({ point }) => point)).size, runs: trials.length, faults, violations };
}

export const networkFaults: Suite = {
  name: 'network-faults',
  shows:
    'after a fault at any packet boundary of any session, plain or TLS (cut, reset, stalled, repeated, torn, delayed, corrupted), one device is provisioned and telemetry recovers; with MQTT_BASIC and X.509 after each fifth of the faults, with a derived token, also with a lost card, after each seventh',
  run,
};
