import { Command } from 'commander';
import { assert, constantFrom, dictionary, property, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainRun } from '../../src/cli/nothingToDo.ts';
import { addAgentOptions } from '../../src/cli/options.ts';
import { plainArguments } from '../../src/cli/plainArguments.ts';

const OPTIONS = ['--dir', '--state-dir', '--log-format', '--log-level', '--splay', '--keep-backups', '--inspect'];
const VARIABLES = [
  'THERMAL_DIR',
  'THERMAL_STATE_DIR',
  'THERMAL_LOG_FORMAT',
  'THERMAL_LOG_LEVEL',
  'THERMAL_SPLAY',
  'THERMAL_KEEP_BACKUPS',
];
const VALUES = ['json', 'text', 'info', 'debug', '0', '12', '5', '', '/a', 'b', '-1', '1e1', '301', 'INFO', '--dir'];

const plainOf = (argv: readonly string[], env: Record<string, string>) => {
  const settings = plainRun(['run', ...argv], env);
  return settings === undefined ? undefined : plainArguments(settings);
};

/** What the real parser makes of it; it reads the environment of this process. */
function parsed(argv: readonly string[], env: Record<string, string>): object {
  for (const name of VARIABLES) {
    if (env[name] === undefined) delete process.env[name];
    else process.env[name] = env[name];
  }
  try {
    const command = addAgentOptions(new Command('run'))
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    return command.parse([...argv], { from: 'user' }).opts();
  } finally {
    for (const name of VARIABLES) delete process.env[name];
  }
}

describe('plainArguments', () => {
  it('understands a boot', () => {
    const plain = plainOf(['--dir', '/var/lib/thermal-camera'], { THERMAL_LOG_LEVEL: 'debug' });
    expect(plain).toEqual({ dir: '/var/lib/thermal-camera', logLevel: 'debug', keepBackups: 5, splay: 0 });
    expect(plainOf([], {})).toEqual({ dir: '.', keepBackups: 5, splay: 0 });
  });

  it.each([
    [['--inspect'], {}],
    [['--help'], {}],
    [['--keep-backups', '3'], {}],
    [[], { THERMAL_KEEP_BACKUPS: '3' }],
    [['--log-level', 'loud'], {}],
    [[], { THERMAL_LOG_FORMAT: 'xml' }],
    [['--state-dir', ''], {}],
    [['--log-level', ''], {}],
    [['constructor', 'x'], {}],
    [['__proto__', 'x'], {}],
    [['--dir'], {}],
    [['--dir', '--state-dir'], {}],
    [['--splay', '301'], {}],
  ])('leaves %j with %j to the parser', (argv, env) => {
    expect(plainOf(argv, env)).toBeUndefined();
  });

  it('counts an empty variable as not set, as the parser does', () => {
    const env = Object.fromEntries(VARIABLES.map((name) => [name, '']));
    expect(plainOf([], env)).toEqual({ dir: '.', keepBackups: 5, splay: 0 });
    expect(parsed([], env)).toEqual({ dir: '.', keepBackups: 5, splay: 0 });
  });

  it('leaves an empty --state-dir to a parser that refuses it: the current folder is not meant', () => {
    expect(() => parsed(['--state-dir', ''], {})).toThrow('Expected the path of a folder.');
  });

  it('says what the parser says, or nothing', () => {
    const pairs = uniqueArray(constantFrom(...OPTIONS), { maxLength: 4 }).chain((names) =>
      dictionary(constantFrom(...names, '--dir'), constantFrom(...VALUES), { maxKeys: 4 }),
    );
    const environments = dictionary(constantFrom(...VARIABLES), constantFrom(...VALUES), { maxKeys: 3 });
    let plainOnes = 0;
    assert(
      property(pairs, environments, (options, env) => {
        const argv = Object.entries(options).flat();
        const plain = plainOf(argv, env);
        if (plain === undefined) return;
        plainOnes += 1;
        expect(plain).toEqual(parsed(argv, env));
      }),
      { numRuns: 2000 },
    );
    expect(plainOnes).toBeGreaterThan(100);
  });
});
