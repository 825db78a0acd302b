/** The command as users run it: a separate process with the shipped bundle. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { issueCertificate } from '../../src/simulator/certificate.ts';
import { until } from '../support/until.ts';
import { connected, KEYS, REQUEST } from './mqttClients.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulate-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Run {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly output: { stdout: string; stderr: string };
  readonly exit: Promise<unknown>;
}

function run(...args: string[]): Run {
  const child = spawn(process.execPath, [inject('bundle'), 'simulate', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return { child, output, exit: once(child, 'close') };
}

/** The URL in the first line. */
async function started({ output }: Run): Promise<string> {
  return until(() => /^listening on (\S+) /.exec(output.stdout)?.[1], 'the first line');
}

test('prints address, key and secret, then one line per event; exits with 0 on SIGTERM', async () => {
  const running = run('--port', '0');
  const url = await started(running);
  const recorded = await connected(url, { username: 'provision' });
  const request = { ...KEYS, deviceName: 'cam', token: 'very-secret-token' };
  recorded.client.publish(REQUEST, JSON.stringify(request), { qos: 1 });
  await until(() => recorded.payloads[0]);
  await until(() => running.output.stdout.includes(' answer '));
  running.child.kill('SIGTERM');
  expect(await running.exit).toEqual([0, null]);
  const lines = running.output.stdout.split('\n');
  expect(lines[0]).toBe(
    `listening on ${url} device_key=${KEYS.provisionDeviceKey} device_secret=${KEYS.provisionDeviceSecret}`,
  );
  expect(lines.slice(1).map((line) => line.split(' ')[2])).toEqual([
    'connect',
    'connack',
    'request',
    'commit',
    'answer',
    'close',
    undefined,
  ]);
  expect(lines[3]).toMatch(/^\S+Z session=1 request nth=1 deviceName="cam"$/);
  expect(running.output.stdout).not.toContain('very-secret-token');
});

test('SIGINT ends it too; --quiet prints one line', async () => {
  const running = run('--port', '0', '--quiet');
  const url = await started(running);
  await connected(url, { username: 'nobody' });
  running.child.kill('SIGINT');
  expect(await running.exit).toEqual([0, null]);
  expect(running.output.stdout.trim().split('\n')).toHaveLength(1);
});

test('options reach the simulator', async () => {
  const registry = join(folder, 'registry.json');
  const running = run(
    ...['--port', '0', '--strategy', 'CHECK_PRE_PROVISIONED_DEVICES', '--device', 'cam=stored=token'],
    ...['--device-key', 'k', '--device-secret', 's', '--registry-file', registry, '--latency', '1'],
    ...['--fault', 'request#1=close', '--fault', 'request#2=answer:{}'],
  );
  const url = await started(running);
  const ask = async (): Promise<string[]> => {
    const recorded = await connected(url, { username: 'provision' });
    const request = { provisionDeviceKey: 'k', provisionDeviceSecret: 's', deviceName: 'cam' };
    recorded.client.publish(REQUEST, JSON.stringify(request), { qos: 1 });
    await until(() => recorded.payloads[0] ?? recorded.received.includes('close'));
    return recorded.payloads.map(({ text }) => text);
  };
  expect(await ask()).toEqual([]);
  expect(await ask()).toEqual(['{}']);
  running.child.kill('SIGTERM');
  await running.exit;
  expect(JSON.parse(await readFile(registry, 'utf8')).devices).toMatchObject([
    { name: 'cam', credentials: { type: 'ACCESS_TOKEN', token: 'stored=token' }, provisioned: true },
  ]);
});

test('devices with MQTT_BASIC credentials and with a certificate are created beforehand', async () => {
  const { cert, key } = await issueCertificate({ names: ['cam'] });
  const [certFile, registry, ca] = [
    join(folder, 'device.pem'),
    join(folder, 'types.json'),
    join(folder, 'types-ca.pem'),
  ];
  await writeFile(certFile, cert);
  const running = run(
    ...['--port', '0', '--tls', '--ca-out', ca, '--registry-file', registry],
    ...['--device-basic', 'all=c,u,p,=w,x', '--device-basic', 'user=,v', '--device-cert', `cam=${certFile}`],
  );
  const url = await started(running);
  const login = async (options: object) => (await connected(url, { ca: await readFile(ca), ...options })).received[0];
  expect(await login({ clientId: 'c', username: 'u', password: 'p,=w,x' })).toBe('connack:0');
  expect(await login({ username: 'v' })).toBe('connack:0');
  expect(await login({ cert, key })).toBe('connack:0');
  running.child.kill('SIGTERM');
  await running.exit;
  const { devices } = z
    .object({ devices: z.array(z.looseObject({})) })
    .parse(JSON.parse(await readFile(registry, 'utf8')));
  expect(devices.map(({ name, credentials }) => ({ name, credentials }))).toEqual([
    { name: 'all', credentials: { type: 'MQTT_BASIC', clientId: 'c', userName: 'u', password: 'p,=w,x' } },
    { name: 'user', credentials: { type: 'MQTT_BASIC', userName: 'v' } },
    { name: 'cam', credentials: { type: 'X509_CERTIFICATE', certificate: cert.split('\n').slice(1, -2).join('') } },
  ]);
});

test('--rest-port serves the administration, and the first line has its address', async () => {
  const running = run('--port', '0', '--rest-port', '0', '--device', 'cam');
  await started(running);
  const [, rest] = /^listening on .* rest=(http:\/\/127\.0\.0\.1:\d+)\n/.exec(running.output.stdout) ?? [];
  const answer = await fetch(`${rest}/api/tenant/devices?deviceName=cam`);
  expect(answer.status).toBe(401);
});

test('--tls writes the CA that its clients need', async () => {
  const caFile = join(folder, 'ca.pem');
  const running = run('--port', '0', '--tls', '--ca-out', caFile);
  const url = await started(running);
  expect((await stat(caFile)).mode & 0o777).toBe(0o644);
  const recorded = await connected(url, { username: 'provision', ca: await readFile(caFile) });
  expect(recorded.received).toEqual(['connack:0']);
});

test('--cert and --key', async () => {
  const { cert, key } = await issueCertificate({ ips: ['127.0.0.1'] });
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await Promise.all([writeFile(certFile, cert), writeFile(keyFile, key)]);
  const url = await started(run('--port', '0', '--cert', certFile, '--key', keyFile));
  expect((await connected(url, { username: 'provision', ca: cert })).received).toEqual(['connack:0']);
});

test('a port in use: message and hint, exit status 69', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const running = run('--port', String(address.port));
  expect(await running.exit).toEqual([69, null]);
  expect(running.output.stderr).toMatch(/^thermal-provision: .*EADDRINUSE.*\n {2}.+\n$/);
});

describe('a wrong option: a message with the option, exit status 64', () => {
  test.each([
    ['--port 65536', ['--port', '65536']],
    ['--latency abc', ['--latency', 'abc']],
    ['--rest-port x', ['--rest-port', 'x']],
    ['--strategy X', ['--strategy', 'X']],
    ['--release 2', ['--release', '2']],
    ['--rate-limit 5', ['--rate-limit', '5']],
    ['--fault request=explode', ['--fault', 'request=explode']],
    ['--device =t', ['--device', '=t']],
    ['--device-basic cam', ['--device-basic', 'cam']],
    ['--device-basic cam=c', ['--device-basic', 'cam=c']],
    ['cam: neither client id nor user name', ['--device-basic', 'cam=,']],
    ['--device-cert cam', ['--device-cert', 'cam']],
    ['--device-cert /nonexistent', ['--device-cert', 'cam=/nonexistent']],
    ['--ca-out needs --tls', ['--ca-out', 'x']],
    ['--cert and --key', ['--cert', 'x']],
    ['--tls with --cert', ['--tls', '--cert', 'x', '--key', 'y']],
    ['/nonexistent', ['--cert', '/nonexistent', '--key', '/nonexistent']],
    ['a exists', ['--device', 'a=t', '--device', 'b=t', '--port', '0']],
  ])('%s', async (what, args) => {
    const running = run(...args);
    expect(await running.exit).toEqual([64, null]);
    expect(running.output.stdout).toBe('');
    expect(running.output.stderr).toMatch(/^thermal-provision: [^\n]+\n {2}[^\n]+\n$/);
    const option = /--?[a-z-]+|\/\w+/.exec(what)?.[0];
    if (option !== undefined) expect(running.output.stderr).toContain(option === '--fault' ? 'The fault' : option);
  });
});

test("a --ca-out that can't be written ends it", async () => {
  const running = run('--port', '0', '--tls', '--ca-out', join(folder, 'no-such-folder', 'ca.pem'));
  expect(await running.exit).toEqual([74, null]);
  expect(running.output.stderr).toContain('ca.pem');
});

test('--help shows options, faults and examples', async () => {
  const running = run('--help');
  expect(await running.exit).toEqual([0, null]);
  expect(running.output.stdout).toContain('--registry-file');
  expect(running.output.stdout).toContain('dropAnswerAndClose');
  expect(running.output.stdout).toContain('Examples:');
});
