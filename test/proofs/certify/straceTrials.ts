/** Trials of both suites: a run of a scenario with a fault at one call, and the checks after it. */

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agentCommand, runToEnd } from './agentProcess.ts';
import { inParallel } from './inParallel.ts';
import {
  type AgentEnding,
  completionProblems,
  type DeviceUnderTest,
  endingProblems,
  instantProblems,
} from './invariants.ts';
import { type LoginSupplies, prepareLogins } from './logins.ts';
import { isInPart, scenariosIn } from './part.ts';
import { hasFired, STRACE_ENV, straceProblem, type Tampering, tampering, watching } from './strace.ts';
import { type Call, callsIn, callsOn } from './straceCalls.ts';
import {
  type Leftovers,
  leftoversOf,
  openScene,
  type PathScopes,
  SCENARIOS,
  type Scenario,
  type Scene,
} from './straceScenarios.ts';
import type { SuiteOptions, SuiteResult } from './suite.ts';

/** With this form of an option the whole agent runs: src/cli/nothingToDo.ts would make calls in a second thread. */
const WHOLE_AGENT = ['--keep-backups=5'];
/** A slow run saves its state more often: the shortest of several runs has the calls that every run makes. */
const BASE_RUNS = 5;
/** A fault that did not strike is tried again. After the last attempt the call is searched in a new trace. */
const ATTEMPTS = 3;

export type ScopeName = keyof PathScopes | 'boot';

/** A trial without its paths, which differ in each trial. */
export interface Trial {
  readonly scenario: Scenario;
  readonly scope: ScopeName;
  readonly call: Call;
  readonly effect: Tampering['effect'];
  readonly lasting: boolean;
}

/** A scenario with the calls of its run. */
export interface CountedScenario {
  readonly scenario: Scenario;
  readonly left: Leftovers | undefined;
  readonly calls: Readonly<Record<ScopeName, readonly Call[]>>;
}

interface Laboratory {
  readonly options: SuiteOptions;
  readonly supplies: LoginSupplies;
  /** Path of the next trial's folder. */
  nextFolder(): string;
}

async function openLaboratory(options: SuiteOptions): Promise<Laboratory> {
  let count = 0;
  return {
    options,
    supplies: await prepareLogins(options.scratch),
    nextFolder: () => {
      count += 1;
      return join(options.scratch, String(count));
    },
  };
}

const pathsOf = ({ scopes }: Scene, scope: ScopeName): readonly string[] =>
  scope === 'boot' ? scopes.disk : scopes[scope];

const commandFor = (scene: Scene, scope: ScopeName, agent: string): readonly string[] =>
  agentCommand(agent, scene.device.paths.deviceFolder, scope === 'boot' ? [] : WHOLE_AGENT);

const lastLine = ({ output }: AgentEnding): string => output.trim().split('\n').at(-1) ?? '';

const requireSuccess = (scenario: Scenario, end: AgentEnding, problems: readonly string[]): void => {
  if (end.status === 0 && problems.length === 0) return;
  const why = problems.join('; ');
  throw new Error(`${scenario.name}: the run without a fault failed: ${why}; its last line: ${lastLine(end)}`);
};

/** A run without a fault under strace. */
async function trace(laboratory: Laboratory, scenario: Scenario, left: Leftovers | undefined, scope: 'disk' | 'boot') {
  const { agent } = laboratory.options;
  const scene = await openScene(laboratory.nextFolder(), scenario, left, laboratory.supplies);
  try {
    const { disk, events, created } = scene.scopes;
    const command = watching(commandFor(scene, scope, agent), scene.log, [...disk, ...events]);
    const end = await runToEnd(command, STRACE_ENV);
    requireSuccess(scenario, end, await completionProblems(scene.device));
    const calls = callsIn(await readFile(scene.log, 'utf8'));
    return { disk: callsOn(calls, disk), created: callsOn(calls, created), events: callsOn(calls, events) };
  } finally {
    await scene.close();
  }
}

function requireOneThread(scenario: Scenario, calls: readonly Call[]): readonly Call[] {
  if (new Set(calls.map(({ thread }) => thread)).size <= 1) return calls;
  throw new Error(`${scenario.name}: two threads make the calls, so they can't be counted`);
}

/** The calls of a scenario, counted in runs without faults. */
async function count(laboratory: Laboratory, scenario: Scenario): Promise<CountedScenario> {
  const left = await leftoversOf(laboratory.nextFolder(), scenario, laboratory.options.agent, laboratory.supplies);
  let shortest = await trace(laboratory, scenario, left, 'disk');
  for (let run = 1; run < BASE_RUNS; run += 1) {
    const next = await trace(laboratory, scenario, left, 'disk');
    if (next.disk.length + next.events.length < shortest.disk.length + shortest.events.length) shortest = next;
  }
  const boot = (await trace(laboratory, scenario, left, 'boot')).disk;
  const others = boot.findIndex(({ thread }) => thread !== boot[0]?.thread);
  return {
    scenario,
    left,
    calls: {
      disk: requireOneThread(scenario, shortest.disk),
      created: shortest.created,
      events: requireOneThread(scenario, shortest.events),
      boot: others < 0 ? boot : boot.slice(0, others),
    },
  };
}

const nameOf = ({ scenario, scope, call, effect, lasting }: Trial): string =>
  `${scenario.name}: ${effect} at ${call.name} ${call.nth}${lasting ? ' and later' : ''} (${scope}; ${call.paths.map((path) => path.replace(/^.*\/device(?=\/|$)/, '…')).join(', ')})`;

/** `no-such-call`: only a slow run, which saves its state once more, makes this call. */
type Outcome =
  | { readonly kind: 'fired'; readonly problems: readonly string[] }
  | { readonly kind: 'not-fired' | 'no-such-call' };

/**
 * Checks that the next boot after the fault completes the run.
 * @param knowsNothing whether only the board secret can tell the agent that the device may exist
 */
async function nextBoot(
  device: DeviceUnderTest,
  agent: string,
  before: string,
  knowsNothing = false,
): Promise<string[]> {
  const { registry } = device.server;
  const { provisionRequests } = registry.counts;
  const isKnown = registry.size > 0;
  const end = await runToEnd(agentCommand(agent, device.paths.deviceFolder));
  const output = `${before}\n${end.output}`;
  const failed = end.status === 0 ? [] : [`the next boot ended with ${end.status}: ${lastLine(end)}`];
  const askedAgain = knowsNothing && isKnown && registry.counts.provisionRequests > provisionRequests;
  return [
    ...endingProblems(end),
    ...failed,
    ...(askedAgain ? ['a camera that the server knows asked for registration, not for itself'] : []),
    ...(await instantProblems(device, output)),
    ...(failed.length > 0 ? [] : await completionProblems(device)),
  ];
}

/** Checks a run with status 0: everything must be done, but clean-up may be left for the next boot. */
async function problemsOfSuccess(scene: Scene): Promise<{ problems: string[]; done: boolean }> {
  const all = await completionProblems(scene.device);
  const problems = all.filter((problem) => !problem.endsWith(' was left'));
  return { problems, done: all.length === 0 };
}

async function attempt(laboratory: Laboratory, { left }: CountedScenario, trial: Trial): Promise<Outcome> {
  const { agent } = laboratory.options;
  const { scenario, scope, call, effect, lasting } = trial;
  const scene = await openScene(laboratory.nextFolder(), scenario, left, laboratory.supplies);
  try {
    const what = { call: call.name, nth: call.nth, lasting, effect, paths: pathsOf(scene, scope) };
    const end = await runToEnd(tampering(commandFor(scene, scope, agent), scene.log, what), STRACE_ENV);
    if (!hasFired(await readFile(scene.log, 'utf8'), effect)) return { kind: 'not-fired' };
    const killed = effect === 'kill';
    const problems = [
      ...(killed ? [] : endingProblems(end)),
      ...(await instantProblems(scene.device, end.output)).map((problem) => `after the fault: ${problem}`),
    ];
    const success = !killed && end.status === 0 ? await problemsOfSuccess(scene) : { problems: [], done: false };
    const { cardLost = false } = scenario;
    const next = cardLost ? await scene.loseCard() : scene.device;
    const last = success.done && !cardLost ? [] : await nextBoot(next, agent, end.output, cardLost);
    return { kind: 'fired', problems: [...problems, ...success.problems, ...last] };
  } finally {
    await scene.close();
  }
}

async function perform(laboratory: Laboratory, counted: CountedScenario, trial: Trial): Promise<Outcome> {
  for (let tries = 0; tries < ATTEMPTS; tries += 1) {
    const outcome = await attempt(laboratory, counted, trial);
    if (outcome.kind === 'fired') return outcome;
  }
  const { scenario, scope, call } = trial;
  if (scope === 'boot') return { kind: 'not-fired' };
  const again = (await trace(laboratory, scenario, counted.left, 'disk'))[scope];
  const exists = again.some(({ name, nth }) => name === call.name && nth === call.nth);
  return { kind: exists ? 'not-fired' : 'no-such-call' };
}

const OF_THE_KIND = /\/(?:client_(?:cert|key)-|ca\.pem$|board-secret$)/;

/** The trials of a scenario that a normal run makes. */
const sampled = ({ each = 1 }: Scenario, trials: readonly Trial[], full: boolean): readonly Trial[] =>
  trials.filter(({ call }, index) => full || index % each === 0 || call.paths.some((path) => OF_THE_KIND.test(path)));

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'an unknown error');

/**
 * Counts the calls of every scenario and runs the chosen trials.
 * @param choose returns the trials of a scenario
 */
export async function runTrials(
  options: SuiteOptions,
  choose: (counted: CountedScenario, full: boolean) => readonly Trial[],
): Promise<SuiteResult> {
  const skipped = await straceProblem();
  if (skipped !== undefined) return { points: 0, runs: 0, faults: 0, violations: [], skipped };
  await mkdir(options.scratch, { recursive: true });
  const laboratory = await openLaboratory(options);
  const uncounted: string[] = [];
  const counted = await inParallel(scenariosIn(SCENARIOS, options.part), options.workers, (scenario) =>
    count(laboratory, scenario).catch((error: unknown) => {
      uncounted.push(messageOf(error));
    }),
  );
  const scenarios = counted.filter((scenario) => scenario !== undefined);
  const trials = scenarios.flatMap((scenario) =>
    sampled(scenario.scenario, choose(scenario, options.full), options.full)
      .filter((trial) => isInPart(nameOf(trial), options.part))
      .map((trial) => ({ scenario, trial })),
  );
  const outcomes = await inParallel(
    trials,
    options.workers,
    ({ scenario, trial }): Promise<Outcome> =>
      perform(laboratory, scenario, trial).catch((error: unknown) => ({ kind: 'fired', problems: [messageOf(error)] })),
    (done, total) => options.progress(done, total),
  );
  const made = trials.flatMap(({ trial }, index) => {
    const outcome = outcomes[index];
    return outcome === undefined || outcome.kind === 'no-such-call' ? [] : [{ trial, outcome }];
  });
  const point = ({ scenario, scope, call }: Trial): string =>
    `${scenario.name} ${scope === 'boot' ? scope : 'run'} ${call.position}`;
  return {
    points: new Set(made.map(({ trial }) => point(trial))).size,
    runs: made.length,
    faults: made.filter(({ outcome }) => outcome.kind === 'fired').length,
    violations: [
      ...uncounted,
      ...made.flatMap(({ trial, outcome }) => {
        const problems = outcome.kind === 'fired' ? outcome.problems : ['the fault did not strike'];
        return problems.map((problem) => `${nameOf(trial)}: ${problem}`);
      }),
    ],
  };
}
