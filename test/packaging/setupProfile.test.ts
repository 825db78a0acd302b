/** packaging/thingsboard/setup-profile.sh: bad input, odd servers, and that no other program sees a secret. */

import { chmod, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { REST_SYSTEM_USER, REST_USER } from '../../src/simulator/rest.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { ROOT } from '../docs/markdown.ts';
import type { AtEnd } from '../support/atEnd.ts';
import { makeFolder } from '../support/deviceFolder.ts';
import { missingForSetup, runSetup, type SetupEnd } from '../support/setupScript.ts';
import { outputOf } from './debianPackage.ts';

const SCRIPT = `${ROOT}packaging/thingsboard/setup-profile.sh`;
const missing = missingForSetup();
if (missing !== undefined) console.log(`SKIPPED: the tests of setup-profile.sh, ${missing}`);

type Setup = (...args: readonly string[]) => Promise<SetupEnd>;

const administrator = (url: string, user: { username: string; password: string } = REST_USER) => ({
  THINGSBOARD_URL: url,
  THINGSBOARD_USER: user.username,
  THINGSBOARD_PASSWORD: user.password,
});

async function administered(): Promise<{ simulator: Simulator; setup: Setup; folder: string }> {
  const simulator = await startSimulator({ restPort: 0 });
  onTestFinished(() => simulator.close());
  const environment = administrator(simulator.restUrl ?? '');
  return {
    simulator,
    setup: (...args) => runSetup(SCRIPT, args, environment),
    folder: await makeFolder(onTestFinished),
  };
}

/** Name, HTTP status, body, headers; exit status of the script, and what it says. */
type Answered = [string, number, string, Record<string, string>, number, RegExp];

/** A web server that gives this answer to everything. */
async function answering(atEnd: AtEnd, status: number, body: string, headers: Answered[3]): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status, headers).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

describe.skipIf(missing !== undefined)('setup-profile.sh', () => {
  it.concurrent.each([
    ['no command', [], /^Usage: /],
    ['an unknown command', ['profil', 'a'], /Unknown command profil/],
    ['no name', ['profile'], /needs a name/],
    ['two names', ['profile', 'a', 'b'], /One name too many: b/],
    ['an unknown option', ['profile', 'a', '--scret=hush'], /Unknown option --scret/],
    ['a password as an argument', ['profile', 'a', '--password=hush'], /set THINGSBOARD_PASSWORD/],
    ['an option without a value', ['profile', 'a', '--mqtt'], /--mqtt needs a value/],
    ['an unknown strategy', ['profile', 'a', '--strategy', 'x'], /allow or check/],
    ['an address without http', ['profile', 'a', '--server', 'tb:8080'], /is not http:/],
    ['an address with a password', ['profile', 'a', '--server', 'http://u:hush@tb'], /use --user/],
    ['an MQTT port that does not exist', ['profile', 'a', '--mqtt', 'h:65536'], /no port from 1 to 65535/],
    ['a web address for MQTT', ['profile', 'a', '--mqtt', 'http://h'], /is not HOST:PORT/],
    ['a missing folder', ['profile', 'a', '--mqtt', 'h', '--output', '/none/p.json'], /folder \/none/],
    ['a missing key file', ['profile', 'a', '--key-file', '/none'], /\/none can't be read/],
    ['a name that no camera can have', ['create-device', 'a b', '--profile', 'p'], /1 to 64 characters/],
    ['an option of another command', ['show-device', 'a', '--mqtt', 'h'], /options of profile/],
  ])('%s is a wrong use', async (_what, args, said) => {
    // No server is asked: this one does not exist.
    const end = await runSetup(SCRIPT, args, administrator('http://127.0.0.1:1'));
    expect(end).toMatchObject({ status: 64, stdout: '', stderr: expect.stringMatching(said) });
    expect(end.stderr).not.toContain('hush');
  });

  it('without a password and without a terminal it says where a password may come from', async () => {
    const { THINGSBOARD_PASSWORD: _password, ...environment } = administrator('http://127.0.0.1:1');
    const end = await runSetup(SCRIPT, ['profile', 'a'], environment);
    expect(end).toMatchObject({ status: 64, stderr: expect.stringContaining('--password-file FILE') });
  });

  it('names a program that is missing', async () => {
    const folder = await makeFolder(onTestFinished);
    for (const name of ['sh', 'dirname', 'readlink', 'curl']) {
      await symlink((await outputOf('sh', '-c', `command -v ${name}`)).trim(), join(folder, name));
    }
    const end = await runSetup(SCRIPT, ['profile', 'a'], { ...administrator('http://127.0.0.1:1'), PATH: folder });
    expect(end).toMatchObject({ status: 69, stderr: expect.stringContaining('jq is not installed') });
  });

  it('says who was refused and what to do, and makes nothing', async () => {
    const { simulator } = await administered();
    const url = simulator.restUrl ?? '';
    const refused = (user: { username: string; password: string }) =>
      runSetup(SCRIPT, ['profile', 'a'], administrator(url, user));
    const wrong = await refused({ ...REST_USER, password: 'hush' });
    expect(wrong).toMatchObject({ status: 77, stderr: expect.stringMatching(/401: Invalid .* Check --user/) });
    expect(wrong.stderr).not.toContain('hush');
    const system = await refused(REST_SYSTEM_USER);
    expect(system).toMatchObject({
      status: 77,
      stderr: expect.stringMatching(/403: .* Log in as tenant administrator/),
    });
    expect(simulator.registry.profiles.all()).toHaveLength(1);
  });

  it.concurrent.for<Answered>([
    ['a page', 200, '<html>', {}, 1, /does not answer like ThingsBoard/],
    ['JSON of another program', 200, '{"token":5}', {}, 1, /does not answer like ThingsBoard/],
    ['a token that would be a line of curl', 200, '{"token":"a\\"\\nurl = \\"x"}', {}, 1, /does not answer like/],
    ['a redirect', 301, '', { Location: 'https://tb.example.com/' }, 1, /redirects to https:\/\/tb\.example\.com/],
    ['a second factor', 200, '{"token":"t","scope":"PRE_VERIFICATION_TOKEN"}', {}, 77, /second factor/],
    ['a server that starts', 503, '', {}, 69, /still starting/],
    ['an escape sequence', 400, '{"message":"\\u001b[2J\\u009b2J"}', {}, 1, /400: \\u001b\[2J\?2J\)/],
  ])(
    'an answer to the login: %s',
    async ([_what, status, body, headers, expected, said], { onTestFinished: atEnd }) => {
      const url = await answering(atEnd, status, body, headers);
      const end = await runSetup(SCRIPT, ['profile', 'a'], administrator(url));
      expect(end).toMatchObject({ status: expected, stderr: expect.stringMatching(said) });
    },
  );

  it('says that a server is not reached, or that it is the one of MQTT', async () => {
    const { simulator } = await administered();
    const nobody = await runSetup(SCRIPT, ['profile', 'a'], administrator('http://127.0.0.1:1'));
    expect(nobody).toMatchObject({
      status: 69,
      stderr: expect.stringMatching(/No answer from .* Check host and port/),
    });
    const mqtt = await runSetup(SCRIPT, ['profile', 'a'], administrator(`http://127.0.0.1:${simulator.port}`));
    expect(mqtt).toMatchObject({ status: 69, stderr: expect.stringContaining('not that of MQTT') });
  });

  it('shows an existing profile, and changes neither the profile nor a file', async () => {
    const { simulator, setup, folder } = await administered();
    const file = join(folder, 'provision.json');
    await writeFile(file, '{}');
    expect(await setup('profile', 'a', '--mqtt', 'h', '--output', file)).toMatchObject({ status: 1 });
    expect(simulator.registry.profiles.all()).toHaveLength(1);
    // Only part of the name, and only in lower case: it is another profile.
    await setup('profile', 'AB');
    const first = await setup('profile', 'a', '--mqtt', 'mqtts://[::1]:9883');
    expect(JSON.parse(first.stdout)).toMatchObject({ provisioning: { host: '::1', port: 9883, use_ssl: true } });
    expect((await setup('profile', 'a', '--mqtt', 'mqtts://[::1]:9883')).stdout).toBe(first.stdout);
    expect(await setup('profile', 'a', '--strategy', 'check')).toMatchObject({ status: 1 });
    expect(await setup('profile', 'a', '--mqtt', 'h', '--output', file)).toMatchObject({ status: 1 });
    expect(simulator.registry.profiles.all().map(({ name }) => name)).toEqual(['default', 'AB', 'a']);
    expect(await readFile(file, 'utf8')).toBe('{}');
  });

  it('passes odd characters of name, key and secret on as they are', async () => {
    const { simulator, setup, folder } = await administered();
    const [name, key, secret] = ['a b/%c&d?é"\\', ' k"e\\y $(x)', "s'é%s\\n"];
    await writeFile(join(folder, 'key'), `${key}\n`);
    await writeFile(join(folder, 'secret'), secret);
    const files = ['--key-file', join(folder, 'key'), '--secret-file', join(folder, 'secret')];
    const made = await setup('profile', name, '--mqtt', 'h', ...files);
    expect(simulator.registry.profiles.findByKey(key)).toMatchObject({ name, deviceSecret: secret });
    expect(JSON.parse(made.stdout).provisioning).toMatchObject({ device_key: key, device_secret: secret });
    expect(await setup('profile', name, ...files)).toMatchObject({ status: 0 });
    await writeFile(join(folder, 'secret'), 'other');
    expect(await setup('profile', name, ...files)).toMatchObject({ status: 1 });
  });

  it('creates a device only where a camera can get it', async () => {
    const { simulator, setup } = await administered();
    expect(await setup('create-device', 'cam', '--profile', 'pre')).toMatchObject({ status: 1 });
    expect(await setup('create-device', 'cam', '--profile', 'default')).toMatchObject({ status: 1 });
    expect(simulator.registry.size).toBe(0);
    await setup('profile', 'pre', '--strategy', 'check');
    simulator.registry.addDevice({ name: 'cam' });
    const elsewhere = await setup('create-device', 'cam', '--profile', 'pre');
    expect(elsewhere).toMatchObject({ status: 1, stderr: expect.stringContaining('another profile') });
  });

  it("shows a device's attributes without control characters, and names a device that does not exist", async () => {
    const { simulator, setup } = await administered();
    simulator.registry.addDevice({ name: 'cam' });
    simulator.registry.storeAttributes('cam', { 'fw\u001b[2J': '\u009b2J\n' });
    const shown = await setup('show-device', 'cam');
    expect(shown.stdout).toMatch(/^client attributes:\n {2}fw\\u001b\[2J: "\?2J\\n"$/m);
    expect(await setup('allow-again', 'cam')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('nothing to delete'),
    });
    expect(await setup('allow-again', 'Cam')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no device Cam'),
    });
  });

  it('no program sees password, token, key or secret in its arguments or its environment', async () => {
    const { simulator, folder } = await administered();
    const seen = join(folder, 'seen');
    for (const name of ['curl', 'jq', 'tr', 'od', 'cat']) {
      const real = (await outputOf('sh', '-c', `command -v ${name}`)).trim();
      await writeFile(join(folder, name), `#!/bin/sh\n{ echo "$0" "$@"; env; } >>'${seen}'\nexec ${real} "$@"\n`);
      await chmod(join(folder, name), 0o755);
    }
    const environment = { ...administrator(simulator.restUrl ?? ''), PATH: `${folder}:${process.env.PATH}` };
    const file = join(folder, 'provision.json');
    await runSetup(SCRIPT, ['profile', 'a', '--mqtt', 'h', '--output', file], environment);
    const { device_key: key, device_secret: secret } = JSON.parse(await readFile(file, 'utf8')).provisioning;
    const text = await readFile(seen, 'utf8');
    expect(text).toMatch(/curl -q --config - .*\n/);
    expect(text).not.toMatch(/THINGSBOARD_PASSWORD|Bearer|[0-9a-f]{64}/);
    for (const hidden of [key, secret, `"${REST_USER.password}"`]) expect(text).not.toContain(hidden);
  });
});
