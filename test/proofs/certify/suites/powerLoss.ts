import { join } from 'node:path';
import { DEFAULT_DEVICE_KEY, DEFAULT_DEVICE_SECRET } from '../../../../src/simulator/simulator.ts';
import { OLD_TOKEN } from '../../../support/deviceFiles.ts';
import { filesOf, loginInConfig } from '../../../support/storedLogin.ts';
import { inParallel } from '../inParallel.ts';
import { completionProblems, endingProblems, instantProblems } from '../invariants.ts';
import { type LoginSupplies, prepareLogins } from '../logins.ts';
import { scenariosIn } from '../part.ts';
import { bootProblems, readIfThere } from '../powerLossBoot.ts';
import { currentFiles, type DiskFolder } from '../powerLossDisk.ts';
import { inLanes } from '../powerLossLanes.ts';
import { type Course, type LossCase, type Walk, walk } from '../powerLossPoints.ts';
import type { RunFacts } from '../powerLossPromises.ts';
import { type KillPoint, killPoint, resumeAfter } from '../powerLossResumed.ts';
import { modelProblems, SCENARIOS, type Scenario, type TracedRun, traceScenario } from '../powerLossScenario.ts';
import type { LossLimits, LossState } from '../powerLossStates.ts';
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

const secretsOf = ({ setup }: TracedRun): readonly string[] => [...SECRETS, ...setup.secrets];

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
  const device = { paths, server, configBefore, secrets: secretsOf(run) };
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
async function factsOfRun({ paths, scenario, setup, trace }: TracedRun): Promise<RunFacts | undefined> {
  const configAfter = await readIfThere(paths.thermalConfig);
  const login = configAfter && loginInConfig(configAfter, filesOf(paths.deviceFolder));
  if (configAfter === undefined || login === undefined || trace.ending.status !== 0) return undefined;
  return {
    configBefore: scenario.configured ? Buffer.from(setup.oldConfig) : undefined,
    configsAfter: [configAfter],
    login,
  };
}

/** Whether the call belongs to the trial write in a folder, which no promise depends on. */
const isTrialWrite = ({ strings }: SystemCall): boolean => Buffer.concat([...strings]).includes('.provision-probe');

/** The files of the image, which an operator puts on the next card: those before the run, without the camera's. */
function imageOn(disk: DiskFolder): LossState {
  const files = [...currentFiles(disk)].filter(([path]) => ['provision.json', 'provision.txt'].includes(path));
  return { files: new Map(files), folders: new Map() };
}

/** The next boot has a new card, and the server knows the device or not. */
function lostCards({ name }: Scenario, image: LossState | undefined, facts: RunFacts): readonly LossCase[] {
  if (image === undefined) return [];
  const fresh = { ...facts, configBefore: undefined };
  return (['unregistered', 'registered'] as const).map((world) => ({
    state: image,
    world,
    facts: fresh,
    met: `${name}, the card is lost, ${world}`,
  }));
}

async function openLane(scenario: Scenario, options: PowerLossOptions, supplies: LoginSupplies): Promise<Lane> {
  const { agent, scratch, inject, full } = options;
  const limits = full ? FULL_LIMITS : USUAL_LIMITS;
  const run = await traceScenario(scenario, { agent, scratch, inject, supplies });
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
  const image = scenario.cardLost === true ? imageOn(disk) : undefined;
  const encrypted = run.setup.tls !== undefined;
  const course = { label: scenario.name, folder, disk, calls: trace.calls, facts, encrypted, onUnsyncedEntry };
  const whole = walk(course, limits, MAX_VIOLATIONS);
  const { bootsEach = 1 } = scenario;
  const booted = full ? whole.cases : whole.cases.filter((_case, index) => index % bootsEach === 0);
  const walked: Walk = { ...whole, cases: [...booted, ...lostCards(scenario, image, facts)] };
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
  const supplies = await prepareLogins(options.scratch);
  const lanes = await inParallel(scenariosIn(SCENARIOS, options.part), options.workers, (scenario) =>
    openLane(scenario, options, supplies),
  );
  const walks = lanes.flatMap((lane) => lane.walks);
  const violations = [...lanes.flatMap(({ problems }) => problems), ...walks.flatMap((walked) => walked.violations)];
  // A build with violations fails without boots.
  const disproved = violations.length > 0 && !options.full;
  const total = walks.reduce((sum, { cases }) => sum + cases.length, 0);
  let runs = 0;
  const boot = async ({ run: traced }: Lane, { state, world, facts, met }: LossCase): Promise<void> => {
    if (disproved || violations.length >= MAX_VIOLATIONS) return;
    runs += 1;
    const folder = join(options.scratch, `boot-${runs}`);
    const { agent } = options;
    const problems = await bootProblems({
      agent,
      folder,
      state,
      world,
      run: facts,
      server: traced.server,
      secrets: secretsOf(traced),
    });
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
    'after a power loss at any file-system call the next boot completes, and everything that the agent told is true; with MQTT_BASIC, X.509 and a derived token every state is assessed and each eighth is booted, with a new card too',
  run: certifyPowerLoss,
};
