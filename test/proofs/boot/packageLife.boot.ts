import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { ROOT } from '../../docs/markdown.ts';
import { fileContentId } from '../../support/contentId.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { startServer, watchEvents } from '../../support/server.ts';
import { AGENT, type Board, CLIENT, makeBoard, WATCHER } from './board.ts';
import { bootWhen, request, stateOf, unitWhen, until } from './requests.ts';

const PACKAGE = 'thermal-provision';
const NEWER = '99.0.0';
const BUILD_LIMIT_MS = 60_000;
const DEVICE_FOLDER = 'var/lib/thermal-camera';

/** Package with the same program and a later version. */
let newer = '';
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thermal-newer-deb-'));
  const args = [`${ROOT}scripts/packageDeb.mjs`, '--deb-version', NEWER, '--outdir', folder];
  await promisify(execFile)(process.execPath, args, { timeout: BUILD_LIMIT_MS });
  const [name = ''] = await readdir(folder);
  newer = join(folder, name);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Copies a package to a running board, and installs it there as root. */
async function install(board: Board, deb: string): Promise<void> {
  const inside = `/root/${basename(deb)}`;
  await copyFile(deb, join(board.paths.deviceFolder.slice(0, -DEVICE_FOLDER.length), inside));
  await board.run('dpkg', '--install', inside);
}

/** dpkg's state and version of an installed package. */
const installed = (board: Board, name = PACKAGE): Promise<string> =>
  board.run('sh', '-c', `dpkg-query --show --showformat '\${db:Status-Status} \${Version}' ${name} || echo none`);

/** The content of every file of the camera, by name. */
async function camera({ paths: { deviceFolder } }: Board): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(deviceFolder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const known = files.filter((path) => !path.endsWith(`${sep}lock`) && !path.endsWith('events.jsonl'));
  return Object.fromEntries(
    await Promise.all(known.map(async (path) => [relative(deviceFolder, path), await fileContentId(path)] as const)),
  );
}

describe.concurrent('the package', () => {
  it('is upgraded during a run, which the new program resumes', async ({ expect, onTestFinished }) => {
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { latencyMs: 1500, onEvent: watch.onEvent });
    const board = await makeBoard(onTestFinished);
    const requested = new Promise<void>((resolve) => watch.when('commit', resolve));
    await request(board, server.port, { timeout_seconds: 20 });
    await board.boot();
    await requested;
    await install(board, newer);
    expect(await installed(board)).toBe(`installed ${NEWER}`);
    expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success', ExecMainStatus: '0' });
    expect(await board.journal(AGENT)).toContain('run.resumed');
    expect(await stateOf(board, WATCHER)).toMatchObject({ ActiveState: 'active', SubState: 'waiting' });
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
  });

  it('keeps disabled units disabled during an upgrade, and restarts a running client', async (context) => {
    const { expect, onTestFinished } = context;
    const board = await makeBoard(onTestFinished);
    await board.enable(CLIENT);
    await board.boot();
    await bootWhen(board);
    await board.run('systemctl', 'disable', '--now', AGENT, WATCHER);
    const { ExecMainStartTimestampMonotonic: before } = await unitWhen(board, CLIENT, 'activating');
    await install(board, newer);
    expect(await board.run('sh', '-c', `systemctl is-enabled ${AGENT} ${WATCHER} || true`)).toBe(
      'disabled\ndisabled\n',
    );
    expect(await stateOf(board, WATCHER)).toMatchObject({ ActiveState: 'inactive' });
    await until(
      () => stateOf(board, CLIENT),
      ({ ExecMainStartTimestampMonotonic }) => ExecMainStartTimestampMonotonic !== before,
    );
  });

  it('keeps every file of the camera when it is removed and purged, and finishes the run after a new installation', async (context) => {
    const { expect, onTestFinished } = context;
    const lost = { on: 'request', nth: 1, action: 'silence' } as const;
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { faults: [lost], onEvent: watch.onEvent });
    const board = await makeBoard(onTestFinished);
    const requested = new Promise<void>((resolve) => watch.when('request', resolve));
    await request(board, server.port, { timeout_seconds: 20 });
    await board.boot();
    await requested;

    await board.run('dpkg', '--remove', PACKAGE);
    const left = await camera(board);
    expect(Object.keys(left)).toEqual(
      expect.arrayContaining(['provision.json', 'provision.txt', 'provision-state/credentials.json']),
    );
    expect(await board.run('sh', '-c', `systemctl is-active ${AGENT} ${WATCHER} || true`)).not.toMatch(/^active/m);

    await board.run('dpkg', '--purge', PACKAGE);
    expect(await camera(board)).toEqual(left);
    expect(await installed(board)).toMatch(/none|not-installed/);
    expect(await board.run('sh', '-c', 'find /etc/systemd /usr /var/lib/systemd -name "*thermal*"')).toBe('');
    expect(await board.run('id', '--name', '--user', 'thermal')).toBe('thermal\n');

    await install(board, newer);
    expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success', ExecMainStatus: '0' });
    expect(await board.journal(AGENT)).toContain('run.resumed');
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
  });

  it('is replaced by the one with a Node of its own during a run, and back, and the run is finished', async (context) => {
    const { expect, onTestFinished } = context;
    const lost = { on: 'request', nth: 1, action: 'silence' } as const;
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { faults: [lost], onEvent: watch.onEvent });
    const board = await makeBoard(onTestFinished);
    const requested = new Promise<void>((resolve) => watch.when('request', resolve));
    await request(board, server.port, { timeout_seconds: 20 });
    await board.enable(CLIENT);
    await board.boot();
    await requested;
    await install(board, inject('standalone'));
    expect(await installed(board)).toMatch(/^config-files /);
    expect(await installed(board, `${PACKAGE}-standalone`)).toMatch(/^installed /);
    expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success', ExecMainStatus: '0' });
    expect(await board.journal(AGENT)).toContain('run.resumed');
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
    const client = (): Promise<string> =>
      board.run('sh', '-c', `readlink /proc/$(systemctl show --value --property=MainPID ${CLIENT})/exe || true`);
    await until(client, (exe) => exe === '/usr/lib/thermal-provision/node\n');

    // What is left of the replaced package is not needed by the other one.
    await board.run('dpkg', '--purge', PACKAGE);
    expect(await board.run('systemctl', 'is-enabled', AGENT, WATCHER)).toBe('enabled\nenabled\n');
    await board.run('systemctl', 'disable', '--now', WATCHER);
    const kept = await camera(board);
    await install(board, newer);
    expect(await installed(board)).toBe(`installed ${NEWER}`);
    await until(client, (exe) => exe === '/usr/bin/node\n');
    expect(await board.run('sh', '-c', `systemctl is-enabled ${AGENT} ${WATCHER} || true`)).toBe('enabled\ndisabled\n');
    expect(await camera(board)).toEqual(kept);
  });
});
