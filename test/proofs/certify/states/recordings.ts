/** Runs every scenario once without a kill, and finds the states and transitions of the chart that the runs reach. */

import { join } from 'node:path';
import type { ChartGraph } from '../../../../scripts/diagrams/chartGraph.ts';
import { inParallel } from '../inParallel.ts';
import { endingProblems } from '../invariants.ts';
import { scenariosIn } from '../part.ts';
import type { SuiteOptions } from '../suite.ts';
import { resumedIn, SCENARIOS, type Scenario } from './scenarios.ts';
import { edgesOfStep, edgeText, type Line, linesIn, type Step, stepsOf } from './steps.ts';
import { openWorld, type Program } from './world.ts';

/** The recorded start of a scenario. */
export interface Recording {
  readonly scenario: Scenario;
  readonly lines: readonly Line[];
  readonly steps: readonly RecordedStep[];
  readonly problems: readonly string[];
}

export interface RecordedStep extends Step {
  /** The transitions of the step, as text; empty at the start of a run. */
  readonly edges: readonly string[];
}

async function record(program: Program, graph: ChartGraph, scenario: Scenario, folder: string): Promise<Recording> {
  const world = await openWorld(program, folder, scenario);
  try {
    await scenario.before?.(world);
    const ending = await world.start(scenario.start?.(world));
    const lines = linesIn(ending.output);
    const problems = [...endingProblems(ending)];
    const steps = stepsOf(lines).map((step): RecordedStep => {
      try {
        return { ...step, edges: edgesOfStep(graph, step).map(edgeText) };
      } catch (error) {
        problems.push(error instanceof Error ? error.message : 'an unknown error');
        return { ...step, edges: [] };
      }
    });
    return { scenario, lines, steps, problems: problems.map((problem) => `${scenario.name}: ${problem}`) };
  } finally {
    await world.close();
  }
}

/** For each active state: the first scenario that reaches the state, interrupted there. */
function resumedScenarios(graph: ChartGraph, recordings: readonly Recording[]): readonly Scenario[] {
  const active = graph.states.filter(({ kind }) => kind === 'active');
  return active.flatMap(({ name: state }) => {
    const found = recordings.find(({ scenario, steps }) => {
      // A scenario with an earlier process may have used its faults before this state.
      return scenario.before === undefined && steps.some(({ to }) => to === state);
    });
    return found === undefined ? [] : [resumedIn(found.scenario, { state, nth: 1 })];
  });
}

/** Records every scenario, and for every active state a process that resumes in it. */
export async function recordAll(
  options: SuiteOptions,
  program: Program,
  graph: ChartGraph,
): Promise<readonly Recording[]> {
  const recordEach = (scenarios: readonly Scenario[], round: string) =>
    inParallel(scenariosIn(scenarios, options.part), options.workers, (scenario, index) =>
      record(program, graph, scenario, join(options.scratch, `${round}-${index}`)),
    );
  const first = await recordEach(SCENARIOS, 'recording');
  return [...first, ...(await recordEach(resumedScenarios(graph, first), 'resumed'))];
}

/** The states and transitions of the chart that no scenario reaches, as text. */
export function unreached(graph: ChartGraph, recordings: readonly Recording[]): readonly string[] {
  const steps = recordings.flatMap((recording) => recording.steps);
  const states = new Set(steps.map(({ to }) => to));
  const edges = new Set(steps.flatMap((step) => step.edges));
  return [
    ...graph.states
      .filter(({ name, kind }) => kind !== 'transient' && !states.has(name))
      .map(({ name }) => `no scenario reaches the state ${name}`),
    ...graph.edges
      .map(edgeText)
      .filter((text) => !edges.has(text))
      .map((text) => `no scenario takes the transition ${text}`),
  ];
}
