/** src/cli/nothingToDo.ts must never disagree with commander. */

import { closeSync, openSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Option } from 'commander';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { nothingToDo } from '../../src/cli/nothingToDo.ts';
import { createProgram } from '../../src/cli/program.ts';
import { devicePaths } from '../../src/device/paths.ts';
import { formatRecord } from '../../src/log/format.ts';
import { LOG_LEVELS } from '../../src/log/levels.ts';
import type { WinstonSink, WinstonSinkOptions } from '../../src/log/winstonSink.ts';
import type * as agent from '../../src/provision/agent.ts';
import type { AgentOptions } from '../../src/provision/pass.ts';
import type { AgentResult } from '../../src/provision/result.ts';
import { scratchFolder } from '../config/scratch.ts';
import { SEED } from '../support/propertyTest.ts';

/** The calls of commander's `run`. */
const done = vi.hoisted(() => ({
  agent: undefined as AgentOptions | undefined,
  result: undefined as AgentResult | undefined,
  output: '',
}));

// The agent really runs, and its options are recorded. Its log lines would go to standard error of this process.
vi.mock('../../src/provision/agent.ts', async (importOriginal) => {
  const { runAgent } = await importOriginal<typeof agent>();
  return {
    runAgent: async (options: AgentOptions) => {
      done.agent = options;
      done.result = await runAgent(options);
      return done.result;
    },
  };
});
vi.mock('../../src/log/winstonSink.ts', () => ({
  winstonSink: ({ level, format }: WinstonSinkOptions): WinstonSink => ({
    sink: (record) => {
      const isLogged = LOG_LEVELS.indexOf(record.level) <= LOG_LEVELS.indexOf(level);
      if (isLogged) done.output += `${formatRecord(format, record)}\n`;
    },
    reopen: () => {},
    close: () => {},
  }),
}));
// Vitest ends its workers with the signals that `run` handles.
vi.mock('../../src/cli/stopSignal.ts', () => ({
  stopSignal: () => new AbortController().signal,
  exitSoon: () => {},
}));

/** A descriptor that is not a terminal. */
function plainOutput(folder: string): number {
  const descriptor = openSync(join(folder, 'output'), 'a');
  onTestFinished(() => closeSync(descriptor));
  return descriptor;
}

/** The current folder until the end of the test. */
function standIn(folder: string): void {
  const before = process.cwd();
  process.chdir(folder);
  onTestFinished(() => process.chdir(before));
}

const optionsOf = (name: string): readonly Option[] =>
  createProgram().commands.find((command) => command.name() === name)?.options ?? [];
const ALL = [...optionsOf('run'), ...optionsOf('start')];
const VARIABLES = [...new Set(ALL.flatMap(({ envVar }) => envVar ?? []))];

/** Device folders and state folders of every kind. */
async function makePlaces(): Promise<{ readonly folder: string; readonly places: readonly string[] }> {
  const folder = await scratchFolder();
  const idle = devicePaths(join(folder, 'idle'));
  const asked = devicePaths(join(folder, 'asked'));
  const unfinished = devicePaths(join(folder, 'unfinished'));
  await mkdir(idle.deviceFolder);
  await mkdir(asked.deviceFolder);
  await mkdir(unfinished.stateFolder, { recursive: true, mode: 0o700 });
  await writeFile(asked.provisionTxt, '');
  await writeFile(join(idle.deviceFolder, 'Provision.TXT'), '');
  await writeFile(join(idle.deviceFolder, 'provision (1).json'), '');
  await writeFile(unfinished.credentials, '{}');
  const states = join(folder, 'states');
  const open = join(folder, 'open');
  const file = join(folder, 'file');
  await mkdir(states, { mode: 0o700 });
  await mkdir(open, { mode: 0o755 });
  await writeFile(file, '');
  const odd = [
    asked.deviceFolder,
    unfinished.deviceFolder,
    unfinished.stateFolder,
    open,
    file,
    join(folder, 'missing/x'),
  ];
  return { folder, places: [idle.deviceFolder, states, ...odd] };
}

/** Values of this option, some of which commander refuses. */
function valuesOf(option: Option, places: readonly string[]): fc.Arbitrary<string> {
  const numbers = fc.constantFrom('0', '1', '5', '20', '300', '301', '1000', '1001', '007', '1e1', ' 5', '5.0');
  const folders = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...places.slice(0, 2)) },
    fc.constantFrom(...places),
  );
  const likely = option.argChoices ?? [];
  const fitting = likely.length > 0 ? fc.constantFrom(...likely) : /dir/.test(option.long ?? '') ? folders : numbers;
  const others = fc.constantFrom('', '-', '-1', '--dir', 'TEXT', 'constructor', 'command:true', 'stately:1', '99999');
  return fc.oneof({ weight: 12, arbitrary: fitting }, others);
}

/** Command lines with all options of `run` and `start`. Most of them are usual ones. */
function commandLines(places: readonly string[]): fc.Arbitrary<readonly string[]> {
  const option = fc.constantFrom(...ALL);
  const usual = option.chain((one) => valuesOf(one, places).map((value) => [one.long ?? '', value]));
  const joined = option.chain((one) => valuesOf(one, places).map((value) => [`${one.long}=${value}`]));
  const alone = fc.oneof(
    option.map(({ long = '' }) => [long]),
    fc.constantFrom(['-h'], ['--'], ['__proto__', 'x'], ['toString', 'x'], ['x']),
  );
  const words = fc.array(
    fc.oneof({ weight: 15, arbitrary: usual }, { weight: 1, arbitrary: joined }, { weight: 1, arbitrary: alone }),
    { maxLength: 4 },
  );
  const command = fc.oneof(
    { weight: 15, arbitrary: fc.constant(['run']) },
    fc.constantFrom(['start'], ['status'], [], ['--', 'run'], ['rum']),
  );
  return fc.tuple(command, words).map(([first, more]) => [...first, ...more.flat()]);
}

const environments = (places: readonly string[]): fc.Arbitrary<Readonly<Record<string, string>>> =>
  fc
    .uniqueArray(fc.constantFrom(...ALL.filter(({ envVar }) => envVar !== undefined)), { maxLength: 3 })
    .chain((options) => fc.tuple(...options.map((one) => valuesOf(one, places).map((value) => [one.envVar, value]))))
    .map((pairs) => Object.fromEntries(pairs));

/** Runs a command line with commander under an environment. Throws its errors. */
async function runByCommander(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  Object.assign(done, { agent: undefined, result: undefined, output: '' });
  for (const name of VARIABLES) vi.stubEnv(name, env[name]);
  try {
    const program = createProgram();
    for (const one of [program, ...program.commands]) one.configureOutput({ writeOut: () => {}, writeErr: () => {} });
    await program.parseAsync([...argv], { from: 'user' });
  } finally {
    vi.unstubAllEnvs();
    process.exitCode = undefined;
  }
}

const withoutTime = (text: string): string => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');

describe('nothingToDo', () => {
  // `run` ends the process if open handles delay its end.
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  afterAll(() => void vi.useRealTimers());

  it(`never disagrees with commander and the agent (FC_SEED=${SEED})`, { timeout: 120_000 }, async () => {
    const { folder, places } = await makePlaces();
    const stderr = plainOutput(folder);
    standIn(join(folder, 'idle'));
    let answers = 0;
    const property = fc.asyncProperty(commandLines(places), environments(places), async (argv, env) => {
      const answer = nothingToDo(argv, env, stderr);
      if (answer === undefined) return;
      answers += 1;
      await runByCommander(argv, env);
      expect(done.result?.outcome).toBe('nothing');
      expect(withoutTime(done.output)).toBe(withoutTime(answer));
      // If the agent's folders have work, nothingToDo must find it too.
      for (const path of [done.agent?.paths.provisionTxt ?? '', done.agent?.paths.credentials ?? '']) {
        await writeFile(path, '');
        expect(nothingToDo(argv, env, stderr)).toBeUndefined();
        await rm(path);
      }
    });
    await fc.assert(property, { seed: SEED, numRuns: 1500 });
    expect(answers).toBeGreaterThan(150);
  });

  it('names the folder, and what is nearly named right in it', async () => {
    const folder = await scratchFolder();
    const output = plainOutput(folder);
    expect(nothingToDo(['run', '--dir', folder], {}, output)).toContain(
      `No provision.txt in ${folder}: nothing to do"`,
    );
    await writeFile(join(folder, 'provision.txt.txt'), '');
    const says = 'nothing to do. Perhaps meant: \\"provision.txt.txt\\"';
    expect(nothingToDo(['run', '--dir', folder], {}, output)).toContain(says);
    await runByCommander(['run', '--dir', folder], {});
    expect(done.output).toContain(says);
  });

  it.each(['link without a target', 'folder'])(
    'leaves a %s named provision.txt to the agent, which tells it',
    async (what) => {
      const folder = await scratchFolder();
      const output = plainOutput(folder);
      const path = join(folder, 'provision.txt');
      await (what === 'folder' ? mkdir(path) : symlink('nowhere', path));
      expect(nothingToDo(['run', '--dir', folder], {}, output)).toBeUndefined();
      await runByCommander(['run', '--dir', folder], {});
      expect(done.result?.outcome).toBe('nothing');
      const kind = what === 'folder' ? 'a folder' : 'a link whose target is missing';
      expect(done.output).toContain(`Perhaps meant: \\"provision.txt\\" (${kind})`);
    },
  );

  it('leaves a terminal to the progress display', async () => {
    const folder = await scratchFolder();
    const open = (device: string): number => {
      const descriptor = openSync(device, 'r+');
      onTestFinished(() => closeSync(descriptor));
      return descriptor;
    };
    expect(nothingToDo(['run', '--dir', folder], {}, open('/dev/ptmx'))).toBeUndefined();
    for (const output of [plainOutput(folder), open('/dev/null')]) {
      expect(nothingToDo(['run', '--dir', folder], {}, output)).toMatch(/"event":"run.nothing"/);
    }
  });

  it('counts an empty variable as not set', async () => {
    const folder = await scratchFolder();
    const env = Object.fromEntries(VARIABLES.map((name) => [name, '']));
    const answer = nothingToDo(['run', '--dir', folder], env, plainOutput(folder));
    expect(answer).toMatch(/"event":"run.nothing"/);
    await runByCommander(['run', '--dir', folder], env);
    expect(withoutTime(done.output)).toBe(withoutTime(answer ?? ''));
  });

  it('prints nothing if only warnings are logged', async () => {
    const folder = await scratchFolder();
    expect(nothingToDo(['run', '--dir', folder, '--log-level', 'warn'], {}, plainOutput(folder))).toBe('');
  });
});
