import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { makeFolder } from '../../support/deviceFolder.ts';
import { suiteArguments, UsageError } from './arguments.ts';
import { readResults, table, writeResults } from './results.ts';
import { spread } from './scenarios/kills.ts';

const NAMES = ['one', 'two'];
const SERVER = ['--mqtt', 'mqtt://tb.example', '--rest', 'https://tb.example:8443/', '--user', 'u'];

it('without arguments the suite starts simulators', async () => {
  expect((await suiteArguments([], NAMES)).server).toBeUndefined();
});

it('the addresses of a server have default ports, and IPv6 addresses lose their brackets', async () => {
  const args = [...SERVER, '--mqtts', 'mqtts://[::1]:9883', '--password', 'p'];
  expect((await suiteArguments(args, NAMES)).server).toEqual({
    mqtt: { host: 'tb.example', port: 1883 },
    mqtts: { host: '::1', port: 9883 },
    rest: 'https://tb.example:8443',
    user: 'u',
    password: 'p',
  });
});

it('the password comes from a file or from the environment', async () => {
  vi.stubEnv('THINGSBOARD_PASSWORD', 'from the environment');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect((await suiteArguments(SERVER, NAMES)).server?.password).toBe('from the environment');
  const file = join(await makeFolder(onTestFinished), 'password');
  await writeFile(file, 'from the file\n');
  const { server } = await suiteArguments([...SERVER, '--password-file', file], NAMES);
  expect(server?.password).toBe('from the file');
});

it('--only takes several names', async () => {
  expect((await suiteArguments(['--only', 'one', 'two'], NAMES)).only).toEqual(['one', 'two']);
});

it.each([
  ['an unknown scenario', ['--only', 'three']],
  ['an unknown option', ['--unknown']],
  ['a server without a password', SERVER],
  ['a server without its user', ['--mqtt', 'mqtt://a', '--rest', 'http://a']],
  ['an address of another protocol', [...SERVER, '--mqtt', 'http://tb.example', '--password', 'p']],
  ['a REST address with a password', [...SERVER, '--rest', 'http://a:b@c', '--password', 'p']],
  ['an authority that can not be read', [...SERVER, '--mqtts', 'mqtts://a', '--ca', '/none', '--password', 'p']],
  ['--resume without --json', ['--resume']],
  ['no agents', ['--agents', '0']],
  ['an unknown release', ['--release', '2']],
])('%s is a wrong use', async (_what, args) => {
  vi.stubEnv('THINGSBOARD_PASSWORD', '');
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(suiteArguments(args, NAMES)).rejects.toThrow(UsageError);
});

it('results are read back from their file, and the table has a line for each', async () => {
  const path = join(await makeFolder(onTestFinished), 'results.json');
  expect(await readResults(path)).toEqual([]);
  const result = { server: 's', scenario: 'one', seconds: 1.25, devices: 1, reason: 'first line\nmore' } as const;
  const results = [{ ...result, outcome: 'failed' as const }];
  await writeResults(path, results);
  expect(await readResults(path)).toEqual(results);
  expect(table(results).split('\n')).toEqual([
    'scenario  outcome  time   devices  remarks',
    'one       FAILED   1.3 s  1        first line',
  ]);
});

it('kills are spread over all states, and within each state over its duration', () => {
  const states = [
    { state: 'request', ms: 8 },
    { state: 'write', ms: 4 },
  ];
  expect(spread(states, 4)).toEqual([
    { state: 'request', delayMs: 2 },
    { state: 'write', delayMs: 1 },
    { state: 'request', delayMs: 6 },
    { state: 'write', delayMs: 3 },
  ]);
});
