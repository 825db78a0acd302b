import { basename } from 'node:path';
import { describe, inject, it } from 'vitest';
import { codeBlocks, readPage, sectionOf } from '../../docs/markdown.ts';
import { OLD_CONFIG, OLD_TOKEN } from '../../support/deviceFiles.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { DEVICE_KEY, DEVICE_SECRET, startServer, watchEvents } from '../../support/server.ts';
import { AGENT, type Board, makeBoard, WATCHER } from '../boot/board.ts';
import { bootWhen, request, SHORT_PAUSES, unitWhen } from '../boot/requests.ts';
import { instantProblems } from '../certify/invariants.ts';

const isThere = inject('images')['debian-12'] !== undefined;
const NODE = '/usr/lib/thermal-provision/node';
const page = readPage('docs/install.md');
const { amd64: deb = '', archive = '' } = inject('packages');

/** Runs the commands of a block as root, in sequence. Each of them must succeed. */
const type = (board: Board, block = ''): Promise<string> => board.run('sh', '-euc', `cd /root\n${block}`);

/** The program of the running watcher, agent or client is not a Node of the system: there is none. */
const nodes = (board: Board): Promise<string> =>
  board.run('sh', '-c', 'command -v node || head -n 1 "$(readlink -f /usr/bin/thermal-provision)"');

describe.skipIf(!isThere).concurrent('Debian 12 with the standalone package', () => {
  it('boots and provisions, and the next boot does nothing', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const board = await makeBoard(onTestFinished);
    await request(board, server.port);
    await board.boot();
    expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success', NRestarts: '0' });
    expect(await nodes(board)).toBe(`#!${NODE}\n`);
    expect(await board.run('sh', '-c', '. /etc/os-release; echo "$VERSION_ID"')).toBe('12\n');
    expect(
      await board.run('thermal-provision', 'status', '--dir', board.paths.deviceFolder.replace(/.*(?=\/var)/, '')),
    ).toMatch(/^status: done$/m);
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
    await board.cutPower();
    await board.boot();
    expect(await bootWhen(board)).toBe('running\n');
    expect(await board.unit(AGENT)).toMatchObject({ ActiveState: 'inactive', ConditionResult: 'no' });
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
  });

  it('resumes after a power cut while the answer with the token is lost', async ({ expect, onTestFinished }) => {
    const watch = watchEvents();
    const faults = [{ on: 'request', nth: 1, action: 'dropAnswer' }] as const;
    const server = await startServer(onTestFinished, { faults, onEvent: watch.onEvent });
    const board = await makeBoard(onTestFinished);
    const lost = new Promise<void>((resolve) => watch.when('fault', resolve));
    await board.put(board.paths.thermalConfig, OLD_CONFIG);
    await request(board, server.port, { timeout_seconds: 60 });
    await board.boot();
    await lost;
    await board.cutPower();
    const device = {
      paths: board.paths,
      server,
      configBefore: Buffer.from(OLD_CONFIG),
      secrets: [DEVICE_KEY, DEVICE_SECRET, OLD_TOKEN],
    };
    expect(await instantProblems(device, '')).toEqual([]);
    await board.edit(AGENT, SHORT_PAUSES);
    await board.boot();
    expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success', NRestarts: '0' });
    expect(await board.journal(AGENT)).toContain('run.resumed');
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
    expect(await instantProblems(device, await board.journal(AGENT))).toEqual([]);
  });

  it('works by the commands of docs/install.md, as a package and as an archive', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const board = await makeBoard(onTestFinished);
    const [install] = codeBlocks(sectionOf(page, 'With a Node of its own'), 'sh');
    const [copy, remove] = codeBlocks(sectionOf(page, 'A system without dpkg'), 'sh');
    for (const file of [deb, archive]) await board.copy(file, `/root/${basename(file)}`);
    await board.boot();
    await bootWhen(board);
    await board.run('dpkg', '--purge', 'thermal-provision-standalone');
    expect(await type(board, install)).toMatch(/\d+\.\d+\.\d+\n$/);
    await board.run('dpkg', '--purge', 'thermal-provision-standalone');
    expect(await board.run('find', '/usr', '-name', '*thermal*')).toBe('');

    expect(await type(board, copy)).toMatch(/\d+\.\d+\.\d+\n$/);
    await request(board, server.port);
    expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success', NRestarts: '0' });
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
    expect(await board.unit(WATCHER)).toMatchObject({ ActiveState: 'active', SubState: 'waiting' });

    await type(board, remove);
    expect(await board.run('find', '/usr', '/etc/systemd', '-name', '*thermal*')).toBe('');
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
  });
});
