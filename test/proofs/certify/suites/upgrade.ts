import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ACTIVE_STATES } from '../../../../machines/provision.states.ts';
import { startSimulator } from '../../../../src/simulator/simulator.ts';
import { SNAPSHOT_VERSION } from '../../../../src/state/snapshotDocument.ts';
import { OLD_CONFIG, OLD_TOKEN } from '../../../support/deviceFiles.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../../../support/server.ts';
import { agentCommand, runToEnd } from '../agentProcess.ts';
import { inParallel } from '../inParallel.ts';
import { completionProblems, type DeviceUnderTest, endingProblems, instantProblems } from '../invariants.ts';
import { isInPart } from '../part.ts';
import type { Suite, SuiteOptions, SuiteResult } from '../suite.ts';
import { type Fixture, keptFixtures, layOutDevice, layOutServer } from '../upgrade/fixture.ts';

/** Exit status of the first start, where it is not 0: `restore` always ends with a failure. */
const FIRST_STATUS: Readonly<Record<string, number>> = { restore: 74 };

interface Trial {
  readonly fixture: Fixture;
  /** Whether provision.txt still exists, or an operator has removed it. */
  readonly requested: boolean;
}

interface TrialResult {
  readonly resumed: boolean;
  readonly problems: readonly string[];
}

const nameOf = ({ fixture, requested }: Trial): string =>
  `v${fixture.version}, interrupted in ${fixture.state}${requested ? '' : ', provision.txt removed'}`;

/** Starts the agent until the device is provisioned: once, and twice after `restore`. */
async function completeRun(agent: string, device: DeviceUnderTest, { fixture }: Trial): Promise<TrialResult> {
  const command = agentCommand(agent, device.paths.deviceFolder, ['--log-format', 'json', '--log-level', 'debug']);
  const first = await runToEnd(command);
  const expected = FIRST_STATUS[fixture.state] ?? 0;
  const problems = [...endingProblems(first), ...(await instantProblems(device, first.output))];
  if (first.status !== expected) problems.push(`the first start ended with ${first.status} instead of ${expected}`);
  if (expected !== 0) {
    const second = await runToEnd(command);
    problems.push(...endingProblems(second), ...(await instantProblems(device, first.output + second.output)));
    if (second.status !== 0) problems.push(`the second start ended with ${second.status}`);
  }
  problems.push(...(await completionProblems(device)));
  const resumed = first.output.includes('"event":"run.resumed"') && first.output.includes(`"from":"${fixture.state}"`);
  return { resumed, problems };
}

/** Without provision.txt the agent sends nothing; `restore` still restores a damaged configuration. */
async function endWithdrawn(agent: string, device: DeviceUnderTest, { fixture }: Trial): Promise<TrialResult> {
  await rm(device.paths.provisionTxt);
  const damaged = fixture.state === 'restore';
  const expected = damaged ? OLD_CONFIG : await readFile(device.paths.thermalConfig, 'utf8');
  const { counts } = device.server.registry;
  const asked = counts.connects;
  const ending = await runToEnd(agentCommand(agent, device.paths.deviceFolder, ['--log-format', 'json']));
  const problems = [...endingProblems(ending)];
  if (ending.status !== (FIRST_STATUS[fixture.state] ?? 0)) problems.push(`ended with ${ending.status}`);
  if (device.server.registry.counts.connects !== asked) problems.push('the server was contacted');
  if ((await readFile(device.paths.thermalConfig, 'utf8')) !== expected) {
    problems.push(`thermal_config.json was ${damaged ? 'not put back' : 'changed'}`);
  }
  if (fixture.state === 'finalize') problems.push(...(await instantProblems(device, ending.output)));
  return { resumed: true, problems };
}

async function tryFixture(trial: Trial, folder: string, agent: string): Promise<TrialResult> {
  const registryFile = join(folder, 'server.json');
  const deviceFolder = join(folder, 'device');
  await layOutServer(trial.fixture, registryFile);
  const server = await startSimulator({ deviceKey: DEVICE_KEY, deviceSecret: DEVICE_SECRET, registryFile });
  try {
    const paths = await layOutDevice(trial.fixture, deviceFolder, server.port);
    const secrets = [DEVICE_KEY, DEVICE_SECRET, OLD_TOKEN];
    const device: DeviceUnderTest = { paths, server, configBefore: Buffer.from(OLD_CONFIG), secrets };
    return await (trial.requested ? completeRun(agent, device, trial) : endWithdrawn(agent, device, trial));
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Fixtures must exist for every released version and for every state of the current one. */
function missingFixtures(fixtures: readonly Fixture[]): string[] {
  const isKept = (version: number, state?: string): boolean =>
    fixtures.some((fixture) => fixture.version === version && (state === undefined || fixture.state === state));
  const versions = Array.from({ length: SNAPSHOT_VERSION }, (_version, index) => index + 1);
  return [
    ...versions.filter((version) => !isKept(version)).map((version) => `no fixtures of version ${version}`),
    ...ACTIVE_STATES.filter((state) => !isKept(SNAPSHOT_VERSION, state)).map((state) => `no fixture of ${state}`),
  ];
}

async function run(options: SuiteOptions): Promise<SuiteResult> {
  const fixtures = await keptFixtures();
  const trials = fixtures
    .flatMap((fixture) => [true, false].map((requested): Trial => ({ fixture, requested })))
    .filter((trial) => isInPart(nameOf(trial), options.part));
  const violations = missingFixtures(fixtures);
  let resumed = 0;
  await inParallel(
    trials,
    options.workers,
    async (trial, index) => {
      const result = await tryFixture(trial, join(options.scratch, `trial-${index}`), options.agent);
      if (result.resumed) resumed += 1;
      else violations.push(`${nameOf(trial)}: the run was not resumed from that state`);
      violations.push(...result.problems.map((problem) => `${nameOf(trial)}: ${problem}`));
    },
    options.progress,
  );
  return { points: fixtures.length, runs: trials.length, faults: resumed, violations };
}

export const upgrade: Suite = {
  name: 'upgrade',
  shows:
    'this version resumes a run that a released version left in any state, and ends with one device, or with none when provision.txt was removed',
  run,
};
