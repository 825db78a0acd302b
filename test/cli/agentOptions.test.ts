/**
 * Every option of `run` and `start` in commander must have an effect on the agent, its log lines or normal operation,
 * both as a flag and as a variable. A new option without an effect fails here by its name.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Option } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import type { RunClientOptions } from '../../src/client/runClient.ts';
import type { WinstonSink, WinstonSinkOptions } from '../../src/log/winstonSink.ts';
import type { AgentOptions } from '../../src/provision/pass.ts';
import type { AgentResult } from '../../src/provision/result.ts';
import type { RunInspector } from '../../src/watch/observer.ts';
import { scratchFolder } from '../config/scratch.ts';
import { OLD_CONFIG } from '../support/deviceFiles.ts';

/** The options that a command passes on. */
interface SetUp {
  agent?: AgentOptions;
  lines: WinstonSinkOptions[];
  inspector?: string;
  source?: string;
  allowsRpc?: boolean;
  client?: RunClientOptions;
}

const setUp = vi.hoisted((): { now: SetUp; runRequested: boolean } => ({ now: { lines: [] }, runRequested: false }));

// These tests only check that an option is passed on. Other tests check its effect.
const NOTHING: AgentResult = { outcome: 'nothing', exitStatus: 0, runId: null, deviceName: null, failure: null };
vi.mock('../../src/provision/agent.ts', () => ({
  runAgent: async (options: AgentOptions) => {
    setUp.now.agent = options;
    return NOTHING;
  },
}));
vi.mock('../../src/log/winstonSink.ts', () => ({
  winstonSink: (options: WinstonSinkOptions): WinstonSink => {
    setUp.now.lines.push(options);
    return { sink: () => {}, reopen: () => {}, close: () => {} };
  },
}));
vi.mock('../../src/client/runClient.ts', () => ({
  runClient: async (options: RunClientOptions) => {
    setUp.now.client = options;
    return { runRequested: setUp.runRequested };
  },
}));
vi.mock('../../src/cli/start/remoteMethods.ts', () => ({
  remoteMethods: ({ allowed }: { allowed: boolean }) => {
    setUp.now.allowsRpc = allowed;
  },
}));
vi.mock('../../src/client/createTemperatureSource.ts', () => ({
  createTemperatureSource: (source: string) => {
    setUp.now.source = source;
  },
}));
vi.mock('../../src/cli/parts/diagnosis.ts', () => {
  const inspector: RunInspector = { observe: () => {}, close: async () => {} };
  return {
    inspectOnPage: async () => {
      setUp.now.inspector = 'page';
      return { ...inspector, url: 'http://127.0.0.1' };
    },
    inspectWithStately: ({ port }: { port: number }) => {
      setUp.now.inspector = `stately:${port}`;
      return inspector;
    },
  };
});
// Vitest ends its workers with the signals that `run` handles.
vi.mock('../../src/cli/stopSignal.ts', () => ({
  stopSignal: () => new AbortController().signal,
  exitSoon: () => {},
}));

/** The options that a command line passes on, as text. Functions and signals only show that they are there. */
async function setUpBy(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<SetUp> {
  setUp.now = { lines: [] };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const program = createProgram();
  for (const command of program.commands) command.configureOutput({ writeErr: () => {} });
  await program.parseAsync([...words], { from: 'user' });
  vi.unstubAllEnvs();
  process.exitCode = undefined;
  return JSON.parse(
    JSON.stringify(setUp.now, (_key, value: unknown) => (typeof value === 'function' ? 'a function' : value)),
  );
}

const optionsOf = (name: string): readonly Option[] =>
  createProgram()
    .commands.find((command) => command.name() === name)
    ?.options.filter(({ long }) => long !== '--help') ?? [];

function takes(option: Option, text: string): boolean {
  try {
    option.parseArg?.(text, undefined);
    return true;
  } catch {
    return false;
  }
}

describe('the options of run and start', () => {
  let usual = '';
  let other = '';

  beforeEach(async () => {
    // `run` ends the process if open handles delay its end.
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const folder = await scratchFolder();
    [usual, other] = [join(folder, 'usual'), join(folder, 'other')];
    for (const device of [usual, other]) {
      await mkdir(device);
      await writeFile(join(device, 'thermal_config.json'), OLD_CONFIG);
    }
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  /** Ways to give an option: each of its values, or the flag alone. */
  function waysToGive(option: Option): readonly (readonly string[])[] {
    const name = option.long ?? '';
    if (!option.required) return [[name]];
    const values = (option.argChoices ?? [other, '7']).filter((text) => takes(option, text));
    if (values.length === 0) throw new Error(`no value for ${name}: add its values to this test`);
    return values.map((value) => [name, value]);
  }

  const cases = ['run', 'start'].flatMap((command) =>
    optionsOf(command).map((option) => ({ command, option, name: option.long ?? '' })),
  );

  it.each(cases)('$command passes $name on', async ({ command, option, name }) => {
    const words = [command, '--dir', usual];
    const reached = async (...more: readonly string[]): Promise<string> => {
      // The start of an inspector alone does not show that it gets events.
      const { inspector: _started, ...others } = await setUpBy([...words, ...more]);
      return JSON.stringify(others);
    };
    const without = await reached();
    const given: string[] = [];
    for (const way of waysToGive(option)) given.push(await reached(...way));
    expect(
      given.some((text) => text !== without),
      `${name} changes nothing`,
    ).toBe(true);
  });

  it.each(cases.filter(({ option }) => option.required))(
    '$command takes $name from the environment, too',
    async ({ command, option, name }) => {
      const variable = `THERMAL_${option.name().toUpperCase().replaceAll('-', '_')}`;
      expect(option.envVar, `${name} has no variable`).toBe(variable);
      for (const [flag = '', value = ''] of waysToGive(option)) {
        const byFlag = await setUpBy([command, flag, value], { THERMAL_DIR: usual });
        expect(await setUpBy([command], { THERMAL_DIR: usual, [variable]: value })).toEqual(byFlag);
      }
    },
  );

  it('mean the same for both commands', async () => {
    const shared = optionsOf('start').filter(({ long }) => optionsOf('run').some((one) => one.long === long));
    const words = shared.flatMap((option) => waysToGive(option).at(-1) ?? []);
    const [run, start] = [await setUpBy(['run', ...words]), await setUpBy(['start', ...words])];
    const { onState, ...agent } = { ...run.agent };
    expect(onState).toBe('a function');
    expect(start.agent).toEqual(agent);
    expect(start.lines[0]).toEqual(run.lines[0]);
    expect(start.inspector).toBe(run.inspector);
  });

  it.each([
    [[], {}, false],
    [['--allow-rpc'], {}, true],
    [['--allow-rpc', 'no'], {}, false],
    [[], { THERMAL_ALLOW_RPC: 'yes' }, true],
    [[], { THERMAL_ALLOW_RPC: 'no' }, false],
    [[], { THERMAL_ALLOW_RPC: '' }, false],
    [['--allow-rpc=no'], { THERMAL_ALLOW_RPC: 'yes' }, false],
  ])('let the server ask for a new device only where that is said: start %j %j', async (words, env, expected) => {
    expect((await setUpBy(['start', '--dir', usual, ...words], env)).allowsRpc).toBe(expected);
  });

  it('end start with 75 when the server has asked for a new device, so that its unit starts it again', async () => {
    setUp.runRequested = true;
    await createProgram().parseAsync(['start', '--dir', usual], { from: 'user' });
    const status = process.exitCode;
    [process.exitCode, setUp.runRequested] = [undefined, false];
    expect(status).toBe(75);
  });

  it('accept the port of the Stately inspector', async () => {
    expect((await setUpBy(['run', '--dir', usual, '--inspect=stately:81'])).inspector).toBe('stately:81');
  });

  it.each(['CREDENTIALS_DIRECTORY', 'THERMAL_BOARD_ID', 'THERMAL_DEVICE_KEY', 'THERMAL_DEVICE_SECRET_FILE'])(
    'do not include %s, which only the environment sets',
    async (variable) => {
      const words = ['run', '--dir', usual];
      expect((await setUpBy(words, { [variable]: 'given' })).agent).not.toEqual((await setUpBy(words)).agent);
    },
  );
});
