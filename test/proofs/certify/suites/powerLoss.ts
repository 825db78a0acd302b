import { join } from 'node:path';
import { DEFAULT_DEVICE_KEY, DEFAULT_DEVICE_SECRET } from '../../../../src/simulator/simulator.ts';
import { OLD_TOKEN } from '../../../support/deviceFiles.ts';
import { configuredDevice } from '../../../support/provisionedDevice.ts';
import { inParallel } from '../inParallel.ts';
import { completionProblems, endingProblems, instantProblems } from '../invariants.ts';
import { scenariosIn } from '../part.ts';
import { bootProblems, readIfThere } from '../powerLossBoot.ts';
import { inLanes } from '../powerLossLanes.ts';
import { type Course, type LossCase, type Walk, walk } from '../powerLossPoints.ts';
import type { RunFacts } from '../powerLossPromises.ts';
import { type KillPoint, killPoint, resumeAfter } from '../powerLossResumed.ts';
import { modelProblems, SCENARIOS, type Scenario, type TracedRun, traceScenario } from '../powerLossScenario.ts';
import type { LossLimits } from '../powerLossStates.ts';
import type { SystemCall } from '../powerLossTrace.ts';
import { straceProblem } from '../strace.ts';
import type { Suite, SuiteOptions, SuiteResult } from '../suite.ts';

/** The event log for support, and the lock file with the pid. No promise depends on them. */
const NOTES = new Set(['events.jsonl', 'lock']);
const USUAL_LIMITS: LossLimits = { outcomes: 64, states: 24, notes: NOTES };
const FULL_LIMITS: LossLimits = { outcomes: 4096, states: 4096, notes: NOTES };
/** A build without a protection has violations at every point: this number is enough. */
const MAX_VIOLATIONS = 20;

const SECRETS = [DEFAULT_DEVICE_KEY, DEFAULT_DEVICE_SECRET, OLD_TOKEN];

/** A scenario: its traced run and the states to boot, which share the server named in the files. */
interface Lane {
  readonly run: TracedRun;
  readonly walks: readonly Walk[];
  readonly problems: readonly string[];
}

interface PowerLossOptions extends SuiteOptions {
  /** strace's fault injection for the traced run (self-tests): `fsync:retval=0` is a disk that does not sync. */
  readonly inject?: string;
}

/** Problems of the traced run itself, which would make its points meaningless. */
async function runProblems(run: TracedRun, walked: Walk, configBefore: Uint8Array | undefined): Promise<string[]> {
  const { paths, server, scenario, trace } = run;
  const device = { paths, server, configBefore, secrets: SECRETS };
  // A walk that ended early has not replayed the whole trace.
  const whole = walked.violations.length < MAX_VIOLATIONS;
  const problems = [
    ...endingProblems(trace.ending),
    ...(await instantProblems(device, trace.ending.output)),
    ...(await completionProblems(device)),
    ...(whole ? await modelProblems(run) : []),
    ...(whole && walked.told.length < scenario.tells ? ['the agent told less than expected'] : []),
  ];
  return problems.map((problem) => `${scenario.name}, the traced run: ${problem}`);
}

/** The result of the run; undefined when it failed. */
async function factsOfRun({ paths, scenario, trace }: TracedRun): Promise<RunFacts | undefined> {
  const configAfter = await readIfThere(paths.thermalConfig);
  const configured = await configuredDevice(paths).catch(() => undefined);
  if (configAfter === undefined || configured === undefined || trace.ending.status !== 0) return undefined;
  return {
    configBefore: scenario.config === undefined ? undefined : Buffer.from(scenario.config),
    configsAfter: [configAfter],
    deviceName: configured.deviceId,
    token: configured.token,
  };
}

/** Whether the call belongs to the trial write in a folder, which no promise depends on. */
const isTrialWrite = ({ strings }: SystemCall): boolean => Buffer.concat([...strings]).includes('.provision-probe');

async function openLane(scenario: Scenario, options: PowerLossOptions): Promise<Lane> {
  const { agent, scratch, inject, full } = options;
  const limits = full ? FULL_LIMITS : USUAL_LIMITS;
  const run = await traceScenario(scenario, { agent, scratch, inject });
  const { trace, folder, disk } = run;
  const facts = await factsOfRun(run);
  if (facts === undefined) {
    return { run, walks: [], problems: [`${scenario.name}: the traced run ended with ${trace.ending.status}`] };
  }
  const kills: KillPoint[] = [];
  const onUnsyncedEntry: Course['onUnsyncedEntry'] = ({ call, told, worlds }) => {
    if (!scenario.killed && !full) return;
    if (!full && isTrialWrite(call)) return;
    kills.push(killPoint(`${scenario.name}, killed after ${call.name} ${kills.length + 1}`, disk, told, worlds));
  };
  const course = { label: scenario.name, folder, disk, calls: trace.calls, facts, onUnsyncedEntry };
  const walked = walk(course, limits, MAX_VIOLATIONS);
  const problems = await runProblems(run, walked, facts.configBefore);
  const walks = [walked];
  for (const kill of walked.violations.length + problems.length > 0 ? [] : kills) {
    const resumed = await resumeAfter(kill, run, facts, { agent, scratch });
    if (typeof resumed === 'string') problems.push(resumed);
    else walks.push(walk(resumed, limits, MAX_VIOLATIONS));
  }
  return { run, walks, problems };
}

/** Runs the whole suite. @throws when strace or the agent can't run */
export async function certifyPowerLoss(options: PowerLossOptions): Promise<SuiteResult> {
  const skipped = await straceProblem();
  if (skipped !== undefined) return { points: 0, runs: 0, faults: 0, violations: [], skipped };
  const lanes = await inParallel(scenariosIn(SCENARIOS, options.part), options.workers, (scenario) =>
    openLane(scenario, options),
  );
  const walks = lanes.flatMap((lane) => lane.walks);
  const violations = [...lanes.flatMap(({ problems }) => problems), ...walks.flatMap((walked) => walked.violations)];
  // A build with violations fails without boots.
  const disproved = violations.length > 0 && !options.full;
  const total = walks.reduce((sum, { cases }) => sum + cases.length, 0);
  let runs = 0;
  const boot = async ({ run: { server } }: Lane, { state, world, facts, met }: LossCase): Promise<void> => {
    if (disproved || violations.length >= MAX_VIOLATIONS) return;
    runs += 1;
    const folder = join(options.scratch, `boot-${runs}`);
    const { agent } = options;
    const problems = await bootProblems({ agent, folder, state, world, run: facts, server, secrets: SECRETS });
    violations.push(...problems.map((problem) => `${met}: ${problem}`));
    options.progress(runs, total);
  };
  try {
    await inLanes(
      lanes.map((lane) => lane.walks.flatMap(({ cases }) => cases.map((one) => () => boot(lane, one)))),
      options.workers,
    );
  } finally {
    for (const { run } of lanes) await run.server.close();
  }
  const sum = (of: 'points' | 'losses'): number => walks.reduce((total, walked) => total + walked[of], 0);
  return { points: sum('points'), runs, faults: sum('losses'), violations };
}

/** Points: calls that change the disk, send or print. Faults: assessed power losses. Runs: distinct states booted. */
export const powerLoss: Suite = {
  name: 'power-loss',
  shows:
    'after a power loss at any file-system call the next boot completes, and everything that the agent told is true',
  run: certifyPowerLoss,
};
