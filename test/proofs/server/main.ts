/**
 * The acceptance suite: the shipped agent against a real ThingsBoard, or against simulators that the suite starts
 * (docs/acceptance.md).
 */

import { randomBytes } from 'node:crypto';
import { RELEASE_NAMES, type ReleaseName } from '../../../src/simulator/release.ts';
import { REST_USER } from '../../../src/simulator/rest.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';
import { checkAccess } from './access.ts';
import { type ServerAccess, type SuiteArguments, suiteArguments, UsageError } from './arguments.ts';
import { type PlayOptions, playScenario } from './playScenario.ts';
import { type Result, readResults, table, writeResults } from './results.ts';
import { SCENARIOS } from './scenarios/index.ts';
import { startTlsFront } from './tlsFront.ts';

const USAGE_STATUS = 64;
const INTERRUPTED_STATUS = 130;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Suite {
  readonly given: SuiteArguments;
  /** main.js of the agent. */
  readonly program: string;
  readonly setupScript: string;
  readonly signal: AbortSignal;
  /** Of all servers, also of earlier runs that are resumed. */
  results: readonly Result[];
}

/** Plays the chosen scenarios on one server. */
async function playOn(suite: Suite, label: string, server: ServerAccess, release?: ReleaseName): Promise<void> {
  const { given, program, setupScript, signal } = suite;
  const run = `srv-${randomBytes(3).toString('hex')}`;
  const chosen = SCENARIOS.filter(({ name }) => given.only.length === 0 || given.only.includes(name));
  say(`== ${label}: ${chosen.length} scenarios, names begin with ${run}`);
  const options: PlayOptions = {
    label,
    program,
    setupScript,
    mqtt: server.mqtt,
    ...(server.mqtts === undefined ? {} : { tls: { ...server.mqtts, ca: server.ca } }),
    ...(release === undefined ? {} : { release }),
    rest: { url: server.rest, user: server.user, password: server.password },
    keep: given.keep,
    agents: given.agents,
    kills: given.kills,
    workers: given.workers,
    run,
    signal,
    progress: (text) => say(`    ${text}`),
  };
  for (const [index, scenario] of chosen.entries()) {
    if (signal.aborted) return;
    const place = `[${index + 1}/${chosen.length}] ${scenario.name}`;
    const isOfThis = (one: Result): boolean => one.server === label && one.scenario === scenario.name;
    if (suite.results.some((one) => isOfThis(one) && one.outcome === 'passed')) {
      say(`${place}: passed before`);
      continue;
    }
    say(place);
    // Each scenario has its own names: another one may have left devices on the server.
    const result = await playScenario(scenario, { ...options, run: `${run}${String.fromCharCode(97 + index)}` });
    suite.results = [...suite.results.filter((one) => !isOfThis(one)), result];
    if (given.json !== undefined) await writeResults(given.json, suite.results);
    say(`    ${result.outcome} in ${result.seconds.toFixed(1)} s${result.reason === null ? '' : `: ${result.reason}`}`);
  }
}

async function playOnSimulator(suite: Suite, release: ReleaseName): Promise<void> {
  const simulator = await startSimulator({ release, restPort: 0 });
  const mqtt = { host: '127.0.0.1', port: simulator.port };
  const front = await startTlsFront(mqtt);
  const { username: user, password } = REST_USER;
  const server = { mqtt, mqtts: front.endpoint, ca: front.ca, rest: simulator.restUrl ?? '', user, password };
  try {
    await playOn(suite, `simulator ${release}`, server, release);
  } finally {
    await front.close();
    await simulator.close();
  }
}

/** A first signal ends the scenario and removes what it has made, a second one ends the process. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(INTERRUPTED_STATUS);
      say(`${name}: removing what was made; once more: end at once`);
      controller.abort(new Error(`ended by ${name}`));
    });
  }
  return controller.signal;
}

async function playAll(suite: Suite): Promise<void> {
  const { given } = suite;
  if (given.server !== undefined) {
    await checkAccess(given.server, suite.signal);
    return playOn(suite, given.server.rest, given.server, given.release);
  }
  for (const release of given.release === undefined ? RELEASE_NAMES : [given.release]) {
    await playOnSimulator(suite, release);
  }
}

/**
 * Runs the suite.
 * @param program main.js of the agent
 * @param setupScript packaging/thingsboard/setup-profile.sh
 * @returns the exit status: 0 only if no scenario failed
 */
export async function serverTest(args: readonly string[], program: string, setupScript: string): Promise<number> {
  try {
    const given = await suiteArguments(
      args,
      SCENARIOS.map(({ name }) => name),
    );
    const results = given.resume && given.json !== undefined ? await readResults(given.json) : [];
    const suite: Suite = { given, program, setupScript, signal: stopSignal(), results };
    const startedAt = performance.now();
    await playAll(suite);
    return report(suite, (performance.now() - startedAt) / 1000);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return error instanceof UsageError ? USAGE_STATUS : 1;
  }
}

function report({ results, signal }: Suite, seconds: number): number {
  for (const server of new Set(results.map((result) => result.server))) {
    say(`\n${server}\n${table(results.filter((result) => result.server === server))}`);
  }
  const failed = results.filter(({ outcome }) => outcome === 'failed').length;
  const passed = results.filter(({ outcome }) => outcome === 'passed').length;
  say(`\n${passed} passed, ${failed} failed, ${results.length - passed - failed} left out, ${seconds.toFixed(0)} s`);
  if (signal.aborted) return INTERRUPTED_STATUS;
  return failed === 0 && passed > 0 ? 0 : 1;
}
