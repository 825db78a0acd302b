import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RELEASES, type ReleaseName } from '../../src/simulator/release.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { credentialsOf, PROFILE_NAMES, playScenario, readRecording, TIME_SCALE } from './recording.ts';

/** Scenarios that need not agree, each with its reason. */
const MAY_DIFFER: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '4.3.1.3': {
    'check: known device, twice at once': 'a race: two recordings of the same server differ',
    'device: attribute request other keys': 'a race: the answer came more than a second late in one of two recordings',
  },
  '3.8.1': {
    'provision: the same packet twice at once': 'a race: the second PUBACK came before the first answer',
  },
};
/** Scenarios that run side by side. */
const AT_ONCE = 40;

const recorded: readonly (readonly [string, ReleaseName])[] = [
  ['4.3.1.3', '4.3'],
  ['3.8.1', '3.8'],
];

describe.each(recorded)('the simulator and the recorded ThingsBoard %s', (version, release) => {
  const recording = readRecording(version);
  const simulators = new Map<string, Simulator>();

  beforeAll(async () => {
    for (const name of PROFILE_NAMES) {
      const { key, secret, strategy } = recording.profiles[name];
      const { preProvisioned } = recording;
      const devices =
        name === 'check'
          ? preProvisioned.map((device) => ({ name: device.name, credentials: credentialsOf({ token: device.token }) }))
          : recording.scenarios
              .flatMap((scenario) => scenario.devices)
              .map((device, index) => ({ name: `set-up ${index}`, credentials: credentialsOf(device) }));
      const options = {
        release,
        strategy,
        devices,
        deviceKey: key,
        deviceSecret: secret,
        provisionSessionCloseMs: 60_000 / TIME_SCALE,
        connectTimeoutMs: 10_000 / TIME_SCALE,
        backEndTimeoutMs: RELEASES[release].backEndTimeoutMs / TIME_SCALE,
      };
      simulators.set(name, await startSimulator(options));
    }
  });

  afterAll(async () => {
    for (const simulator of simulators.values()) await simulator.close();
  });

  it('do the same in every scenario but the listed ones', { timeout: 60_000 }, async () => {
    const different: Record<string, readonly string[]> = {};
    const waiting = [...recording.scenarios].sort((one, other) => rank(one.scenario) - rank(other.scenario));
    const play = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const port = simulators.get(next.profile)?.port ?? 0;
        const mayDiffer = MAY_DIFFER[version]?.[next.scenario] !== undefined;
        const differences = await playScenario(next, recording.run, port, mayDiffer ? 500 : undefined);
        if (differences.length > 0 && !mayDiffer) different[next.scenario] = differences;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, play));
    expect(different).toEqual({});
  });
});

/** The long scenarios first, so that they overlap with the others. */
const rank = (scenario: string): number => (scenario.startsWith('long') ? 0 : 1);
