import { join } from 'node:path';
import { provisionMachine } from '../../../../machines/provision.machine.ts';
import { chartGraph } from '../../../../scripts/diagrams/chartGraph.ts';
import { inParallel } from '../inParallel.ts';
import { completionProblems, type DeviceUnderTest, endingProblems, instantProblems } from '../invariants.ts';
import { isInPart } from '../part.ts';
import { type KillPoint, killPoints, killText } from '../states/killPoints.ts';
import { recordAll, unreached } from '../states/recordings.ts';
import { openWorld, type Program, prepareProgram, type World } from '../states/world.ts';
import type { Suite, SuiteOptions, SuiteResult } from '../suite.ts';

/** Maximum number of starts after the kill until the device must be provisioned. One may fail by the scenario. */
const MAX_STARTS = 4;

/** On a busy machine a time limit may change the run's way: then the trial is repeated. */
const ATTEMPTS = 3;

interface KillResult {
  readonly fired: boolean;
  readonly problems: readonly string[];
}

/** After a change of the settings a device of the abandoned run may exist. */
function asManyAsThere(device: DeviceUnderTest): DeviceUnderTest {
  const { size } = device.server.registry;
  return { ...device, maxDevices: Math.max(1, Math.min(size, device.maxDevices ?? 1)) };
}

async function completeRun(world: World, { scenario }: KillPoint): Promise<string[]> {
  const problems: string[] = [];
  let incomplete: readonly string[] = [];
  for (let starts = 1; starts <= MAX_STARTS; starts += 1) {
    const ending = await world.start();
    problems.push(...endingProblems(ending));
    incomplete = await completionProblems(asManyAsThere(world.device));
    if (ending.status === 0 && incomplete.length === 0) return problems;
    if (starts === 1) await scenario.afterwards?.(world);
  }
  return [...problems, ...incomplete.map((problem) => `after ${MAX_STARTS} starts ${problem}`)];
}

async function killAt(program: Program, point: KillPoint, folder: string): Promise<KillResult> {
  const { scenario, kill } = point;
  const world = await openWorld(program, folder, scenario);
  const look = async (): Promise<readonly string[]> =>
    (await instantProblems(world.device, world.output())).filter(
      (problem) => scenario.tolerated?.test(problem) !== true,
    );
  try {
    await scenario.before?.(world);
    const { signal, overdue } = await world.start({ ...scenario.start?.(world), kill });
    const fired = signal === 'SIGKILL' && !overdue;
    const atKill = await look();
    if (scenario.cardLost === true) await world.loseCard();
    return { fired, problems: [...atKill, ...(await completeRun(world, point)), ...(await look())] };
  } finally {
    await world.close();
  }
}

async function repeatUntilKilled(program: Program, point: KillPoint, folder: string, attempt = 1): Promise<KillResult> {
  const result = await killAt(program, point, `${folder}-${attempt}`);
  if (result.fired || result.problems.length > 0 || attempt === ATTEMPTS) return result;
  return repeatUntilKilled(program, point, folder, attempt + 1);
}

async function run(options: SuiteOptions): Promise<SuiteResult> {
  const graph = chartGraph(provisionMachine);
  const finalStates = graph.states.filter(({ kind }) => kind === 'final').map(({ name }) => name);
  const program = await prepareProgram(options.agent, options.scratch, finalStates);
  const recordings = await recordAll(options, program, graph);
  const points = killPoints(recordings, finalStates, options.full).filter((point) =>
    isInPart(killText(point), options.part),
  );
  const violations = [
    ...recordings.flatMap(({ problems }) => problems),
    ...(options.part === undefined ? unreached(graph, recordings) : []),
  ];
  let faults = 0;
  await inParallel(
    points,
    options.workers,
    async (point, index) => {
      const { fired, problems } = await repeatUntilKilled(program, point, join(options.scratch, `kill-${index}`));
      if (fired) faults += 1;
      else violations.push(`${killText(point)}: the kill did not happen`);
      violations.push(...problems.map((problem) => `${killText(point)}: ${problem}`));
    },
    options.progress,
  );
  return { points: new Set(points.map(({ moment }) => moment)).size, runs: points.length, faults, violations };
}

export const killInEveryState: Suite = {
  name: 'kill-in-every-state',
  shows:
    'after a kill at every transition and in every state of the chart, the shipped agent ends with one device; with MQTT_BASIC, X.509 and a derived token, also with a lost card, after a kill in every state',
  run,
};
