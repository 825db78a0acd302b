import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type InitArguments, initFolder } from '../../src/cli/init/initFolder.ts';
import { acquireLock } from '../../src/device/lock.ts';
import { temporaryPath } from '../../src/files/durable.ts';
import { failureOf } from '../config/scratch.ts';
import { cutIn, runDevice, scene } from '../support/agentRun.ts';
import { makeFolder } from '../support/deviceFolder.ts';

const KEY = 'the-provisioning-key';
const SECRET = 'the-provisioning-secret';

/** Collects what is printed until the end of the test. */
function printed(): { out: () => string; err: () => string } {
  const collect = (stream: NodeJS.WriteStream) => {
    let text = '';
    const spy = vi.spyOn(stream, 'write').mockImplementation((part) => {
      text += String(part);
      return true;
    });
    onTestFinished(() => spy.mockRestore());
    return () => text;
  };
  return { out: collect(process.stdout), err: collect(process.stderr) };
}

async function secretFiles(): Promise<{ keyFile: string; secretFile: string }> {
  const folder = await makeFolder(onTestFinished);
  const [keyFile, secretFile] = [join(folder, 'key'), join(folder, 'secret')];
  await writeFile(keyFile, `${KEY}\n`);
  await writeFile(secretFile, SECRET);
  return { keyFile, secretFile };
}

/** The options of a complete command line. */
async function complete(dir: string, more: Partial<InitArguments> = {}): Promise<InitArguments> {
  return { dir, host: 'tb.example', tls: true, trigger: true, ...(await secretFiles()), ...more };
}

const documentIn = async (folder: string) => JSON.parse(await readFile(join(folder, 'provision.json'), 'utf8'));

describe('init without a terminal', () => {
  it('writes provision.json and provision.txt for their owner only, and shows neither key nor secret', async () => {
    const folder = await makeFolder(onTestFinished);
    const { out, err } = printed();
    const device = { nameSource: 'serial', credentials: 'mqtt_basic' };
    expect(await initFolder(await complete(folder, { tls: false, scrub: true, ...device }))).toBe(0);
    expect((await readdir(folder)).sort()).toEqual(['provision.json', 'provision.txt']);
    for (const name of ['provision.json', 'provision.txt']) {
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    }
    expect(await documentIn(folder)).toEqual({
      provisioning: {
        device_key: KEY,
        device_secret: SECRET,
        host: 'tb.example',
        port: 1883,
        use_ssl: false,
        scrub: true,
      },
      device: { name_source: 'serial', credentials: 'mqtt_basic' },
    });
    expect(out()).toContain('"device_secret": "[secret]"');
    expect(out() + err()).not.toMatch(/the-provisioning/);
  });

  it('is understood by the agent', async () => {
    const { simulator, paths } = await scene();
    const { out } = printed();
    const { provisioning } = await documentIn(paths.deviceFolder);
    const keyFile = join(paths.deviceFolder, 'key');
    await writeFile(keyFile, provisioning.device_key);
    const secretFile = join(paths.deviceFolder, 'secret');
    await writeFile(secretFile, provisioning.device_secret);
    const { port } = simulator;
    const given = { host: '127.0.0.1', port, tls: false, force: true, keyFile, secretFile, name: 'hall-7' } as const;
    expect(await initFolder({ dir: paths.deviceFolder, trigger: true, ...given })).toBe(0);
    expect(out()).toContain('already there');
    expect(await runDevice(paths)).toMatchObject({ outcome: 'provisioned', deviceName: 'hall-7' });
  });

  it.each([
    [{ tls: true }, 8883, true],
    [{ tls: false }, 1883, false],
    [{ port: 8883 }, 8883, true],
    [{ port: 8883, tls: false }, 8883, false],
  ])('sets port and TLS from each other: %j', async (given, port, useSsl) => {
    const folder = await makeFolder(onTestFinished);
    printed();
    await initFolder({ dir: folder, host: 'tb.example', trigger: true, ...(await secretFiles()), ...given });
    expect((await documentIn(folder)).provisioning).toMatchObject({ port, use_ssl: useSsl });
  });

  it('names all missing options at once, and writes nothing', async () => {
    const folder = await makeFolder(onTestFinished);
    const failure = await failureOf(() => initFolder({ dir: folder, trigger: true, port: 1883 }));
    expect([failure.code, failure.exitStatus]).toEqual(['USAGE', 64]);
    for (const option of ['--host', '--tls or --no-tls', '--key-file', '--secret-file']) {
      expect(failure.message).toContain(option);
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ['a name that the server would not take', { name: 'a b' }, 'PROVISION_JSON_INVALID'],
    ['an address instead of a host', { host: 'mqtt://tb.example' }, 'PROVISION_JSON_INVALID'],
    ['a port out of range', { port: 99_999 }, 'PROVISION_JSON_INVALID'],
    ['a missing CA file', { caFile: 'ca.pem' }, 'CA_FILE_UNUSABLE'],
    ['a missing file with the secret', { secretFile: '/nowhere/secret' }, 'USAGE'],
    ['a missing folder', { dir: '/nowhere' }, 'DEVICE_FOLDER_MISSING'],
  ])('refuses %s, and writes nothing', async (_what, given, code) => {
    const folder = await makeFolder(onTestFinished);
    const { out } = printed();
    const options = await complete(folder, given);
    expect((await failureOf(() => initFolder(options))).code).toBe(code);
    expect(await readdir(folder)).toEqual([]);
    expect(out()).toBe('');
  });

  it('takes key and secret from the variables of a run', async () => {
    vi.stubEnv('THERMAL_DEVICE_KEY', KEY);
    vi.stubEnv('THERMAL_DEVICE_SECRET', SECRET);
    onTestFinished(() => void vi.unstubAllEnvs());
    const folder = await makeFolder(onTestFinished);
    printed();
    expect(await initFolder({ dir: folder, host: 'tb.example', tls: true, trigger: true })).toBe(0);
    expect((await documentIn(folder)).provisioning).toMatchObject({ device_key: KEY, device_secret: SECRET });
  });

  it('overwrites provision.json only with --force, and then keeps the old one', async () => {
    const folder = await makeFolder(onTestFinished);
    await writeFile(join(folder, 'provision.json'), 'old');
    const { out } = printed();
    const options = await complete(folder, { trigger: false });
    expect((await failureOf(() => initFolder(options))).message).toContain('was not overwritten');
    expect(await initFolder({ ...options, force: true })).toBe(0);
    const [kept = '', ...others] = (await readdir(folder)).filter((name) => name !== 'provision.json');
    expect([others, await readFile(join(folder, kept), 'utf8')]).toEqual([[], 'old']);
    expect(kept).toMatch(/^provision\.json\.replaced-/);
    expect(out()).toContain(kept);
  });

  it('with --force leaves the old provision.json in its place when the new one cannot be written', async () => {
    const folder = await makeFolder(onTestFinished);
    await writeFile(join(folder, 'provision.json'), 'old');
    // A folder at the place of the temporary file: the same moment as a full disk.
    await mkdir(temporaryPath(join(folder, 'provision.json')));
    const { out } = printed();
    const options = await complete(folder, { force: true });
    expect((await failureOf(() => initFolder(options))).message).toContain('Could not write');
    expect(await readFile(join(folder, 'provision.json'), 'utf8')).toBe('old');
    expect((await readdir(folder)).filter((name) => name.includes('replaced'))).toEqual([]);
    expect(out()).not.toContain('kept');
  });

  it('refuses a secret of several lines, and does not show it', async () => {
    const folder = await makeFolder(onTestFinished);
    const options = await complete(folder);
    await writeFile(options.secretFile ?? '', `${KEY}\n${SECRET}\n`);
    printed();
    const { message } = await failureOf(() => initFolder(options));
    expect(message).toContain(`(${options.secretFile}): found several lines`);
    for (const secret of [KEY, SECRET]) expect(message).not.toContain(secret);
    expect(await readdir(folder)).toEqual([]);
  });

  it('does not follow a link at the place of provision.json', async () => {
    const [folder, other] = [await makeFolder(onTestFinished), await makeFolder(onTestFinished)];
    await writeFile(join(other, 'file'), 'precious');
    await symlink(join(other, 'file'), join(folder, 'provision.json'));
    printed();
    expect(await initFolder(await complete(folder, { force: true }))).toBe(0);
    expect(await readFile(join(other, 'file'), 'utf8')).toBe('precious');
    expect((await documentIn(folder)).provisioning.device_key).toBe(KEY);
  });

  it('refuses while an agent works, and while a run is unfinished', async () => {
    const { paths } = await scene();
    const before = await readFile(paths.provisionJson, 'utf8');
    const { err } = printed();
    await cutIn(paths, 'verifyCredentials');
    expect(await initFolder(await complete(paths.deviceFolder, { force: true }))).toBe(75);
    expect(err()).toContain('thermal-provision reset');
    const lock = await acquireLock(paths.deviceFolder, paths.stateFolder);
    onTestFinished(() => lock.release());
    expect(await initFolder(await complete(paths.deviceFolder, { force: true }))).toBe(75);
    expect(err()).toContain('an agent is running');
    expect(await readFile(paths.provisionJson, 'utf8')).toBe(before);
  });

  it('with --check creates provision.txt only if doctor finds no problem', async () => {
    const { simulator, paths } = await scene();
    const { provisioning } = await documentIn(paths.deviceFolder);
    const folder = await makeFolder(onTestFinished);
    const { out, err } = printed();
    const options = await complete(folder, { host: '127.0.0.1', port: simulator.port, tls: false, check: true });
    expect(await initFolder(options)).toBe(77);
    expect(err()).toContain('provision.txt was not created');
    expect(await readdir(folder)).toEqual(['provision.json']);
    await writeFile(options.keyFile ?? '', provisioning.device_key);
    await writeFile(options.secretFile ?? '', provisioning.device_secret);
    expect(await initFolder({ ...options, force: true })).toBe(0);
    expect(out()).toContain('key and secret are right');
    expect(await readdir(folder)).toContain('provision.txt');
    expect(simulator.registry.devices()).toEqual([]);
  });

  it('says that a request is already there', async () => {
    const folder = await makeFolder(onTestFinished);
    await writeFile(join(folder, 'provision.txt'), 'by hand');
    const { out } = printed();
    expect(await initFolder(await complete(folder))).toBe(0);
    expect(out()).toContain('provision.txt is already there');
    expect(await readFile(join(folder, 'provision.txt'), 'utf8')).toBe('by hand');
  });

  it('with --print writes the text to standard output and nothing to the folder', async () => {
    const folder = await makeFolder(onTestFinished);
    await mkdir(join(folder, 'provision.json'));
    const { out, err } = printed();
    expect(await initFolder(await complete(folder, { print: true, caFile: 'ca.pem' }))).toBe(0);
    expect(JSON.parse(out()).provisioning).toMatchObject({ device_secret: SECRET, ca_file: 'ca.pem' });
    expect(err()).toContain('holds the provisioning secret');
    expect(await readdir(folder)).toEqual(['provision.json']);
  });
});

describe('init on a terminal', () => {
  /** A terminal on which somebody types these lines, each as soon as a question is shown. */
  function typing(...lines: readonly string[]) {
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
    const rest = lines.values();
    let shown = '';
    const output = Object.assign(new PassThrough(), { isTTY: true, columns: 60, rows: 30 });
    let questions = 0;
    output.on('data', (part: Buffer) => {
      shown += part.toString('utf8');
      // A question is drawn with a full square when it is asked.
      const asked = shown.split('◆').length - 1;
      if (asked <= questions) return;
      questions = asked;
      const line = rest.next();
      if (!line.done) setImmediate(() => input.write(line.value));
    });
    return { terminal: { input, output }, shown: () => shown };
  }

  it('asks for what is not given, and shows neither key nor secret', async () => {
    const folder = await makeFolder(onTestFinished);
    const { out } = printed();
    const { terminal, shown } = typing(
      'tb.example\r',
      '\r',
      '\r',
      '\r',
      `${KEY}\r`,
      `${SECRET}\r`,
      'hall-7\r',
      '\r',
      'n',
      '\r',
    );
    expect(await initFolder({ dir: folder, trigger: true }, terminal)).toBe(0);
    expect(await documentIn(folder)).toEqual({
      provisioning: { device_key: KEY, device_secret: SECRET, host: 'tb.example', port: 8883, use_ssl: true },
      device: { name: 'hall-7' },
    });
    expect((await readdir(folder)).sort()).toEqual(['provision.json', 'provision.txt']);
    expect(shown() + out()).not.toMatch(/the-provisioning/);
  });

  it('checks an answer at once', async () => {
    const folder = await makeFolder(onTestFinished);
    printed();
    const { terminal, shown } = typing('http://tb\r');
    void initFolder({ dir: folder, trigger: true }, terminal);
    await vi.waitFor(() => expect(shown()).toContain('no'));
    expect(shown()).toContain('Expected a host name');
    terminal.input.write('\u0003');
  });

  it.each([
    ['at a question', ['tb.example\r', '\u0003']],
    ['before anything is written', ['tb.example\r', '\r', '\r', '\r', `${KEY}\r`, `${SECRET}\r`, '\r', '\u0003']],
    ['with a no', ['tb.example\r', '\r', '\r', '\r', `${KEY}\r`, `${SECRET}\r`, '\r', 'n']],
  ])('can be given up %s, and then has written nothing', async (_when, lines) => {
    const folder = await makeFolder(onTestFinished);
    printed();
    const { terminal } = typing(...lines);
    expect(await initFolder({ dir: folder, trigger: true }, terminal)).toBe(75);
    expect(await readdir(folder)).toEqual([]);
  });
});
