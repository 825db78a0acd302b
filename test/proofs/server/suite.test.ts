/** That the acceptance suite finds what is wrong: with the server, with the agent, and with itself. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { REST_USER } from '../../../src/simulator/rest.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../../src/simulator/simulator.ts';
import { ROOT } from '../../docs/markdown.ts';
import { makeFolder } from '../../support/deviceFolder.ts';
import { missingForSetup } from '../../support/setupScript.ts';
import { type PlayOptions, playScenario } from './playScenario.ts';
import { SCENARIOS } from './scenarios/index.ts';

async function administered(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ restPort: 0, ...options });
  onTestFinished(() => simulator.close());
  return simulator;
}

const playOptions = (simulator: Simulator, more: Partial<PlayOptions> = {}): PlayOptions => ({
  label: 'test',
  program: inject('bundle'),
  setupScript: `${ROOT}packaging/thingsboard/setup-profile.sh`,
  mqtt: { host: '127.0.0.1', port: simulator.port },
  rest: { url: simulator.restUrl ?? '', user: REST_USER.username, password: REST_USER.password },
  keep: false,
  agents: 2,
  kills: 2,
  workers: 2,
  run: 'srv-test',
  signal: new AbortController().signal,
  progress: () => {},
  ...more,
});

function scenario(name: string) {
  const found = SCENARIOS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no scenario ${name}`);
  return found;
}

/** A program in place of the agent. */
async function standIn(text: string): Promise<string> {
  const path = join(await makeFolder(onTestFinished), 'agent.mjs');
  await writeFile(path, text);
  return path;
}

it('a server that makes two devices of one request fails the scenario; with keep they stay', async () => {
  const simulator = await administered({
    onEvent: (event) => {
      if (event.type !== 'commit') return;
      const { profile = '' } = simulator.registry.find(event.deviceName) ?? {};
      simulator.registry.addDevice({ name: `${event.deviceName}-2`, profile });
    },
  });
  const result = await playScenario(scenario('success-new'), playOptions(simulator, { keep: true }));
  expect(result).toMatchObject({ outcome: 'failed', devices: 2, reason: 'devices in the profiles: 2 instead of 1' });
  expect(simulator.registry.devices()).toHaveLength(2);
  expect(simulator.registry.profiles.all().map(({ name }) => name)).toEqual(['default', 'acceptance-srv-test-1']);
});

it('an agent that does nothing and ends with 0 fails every scenario', async () => {
  const program = await standIn('');
  const simulator = await administered();
  const tls = { host: '127.0.0.1', port: simulator.port, ca: undefined };
  const results = await Promise.all(
    SCENARIOS.map((one, index) => playScenario(one, playOptions(simulator, { program, tls, run: `srv-${index}` }))),
  );
  const others = results.filter(({ outcome }) => outcome !== 'failed').map(({ scenario }) => scenario);
  expect(others).toEqual(missingForSetup() === undefined ? [] : ['setup-profile']);
  expect(simulator.registry.profiles.all()).toHaveLength(1);
});

it('an agent that forgets its state after a kill makes too many devices, which the kills find', async () => {
  const program = await standIn(`
    import { rmSync } from 'node:fs';
    rmSync(process.argv.at(-1) + '/provision-state', { recursive: true, force: true });
    await import(${JSON.stringify(inject('bundle'))});
  `);
  // The fourth state is the request: the device exists, and the answer is on its way, when the kill comes.
  const simulator = await administered({ latencyMs: 100 });
  const result = await playScenario(scenario('kills'), playOptions(simulator, { program, kills: 4 }));
  expect(result).toMatchObject({
    outcome: 'failed',
    reason: expect.stringMatching(/devices of camera .* 2 instead of 1/),
  });
});

it('a scenario that is interrupted or takes too long leaves nothing on the server', async () => {
  const stop = new AbortController();
  const simulator = await administered({
    faults: [{ on: 'request', action: 'dropAnswer' }],
    onEvent: ({ type }) => type === 'commit' && stop.abort(new Error('ended by SIGINT')),
  });
  const interrupted = await playScenario(scenario('success-new'), playOptions(simulator, { signal: stop.signal }));
  expect(interrupted).toMatchObject({ outcome: 'failed', reason: 'ended by SIGINT' });
  const late = { ...scenario('success-new'), limitSeconds: 0.2 };
  expect(await playScenario(late, playOptions(simulator))).toMatchObject({
    outcome: 'failed',
    reason: 'not finished within 0.2 s',
  });
  expect(simulator.registry.devices()).toEqual([]);
  expect(simulator.registry.profiles.all()).toHaveLength(1);
});
