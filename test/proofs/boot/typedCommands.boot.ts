import { readdir } from 'node:fs/promises';
import { describe, inject, it } from 'vitest';
import { devicePaths } from '../../../src/device/paths.ts';
import { codeBlocks, readPage, sectionOf } from '../../docs/markdown.ts';
import { OLD_CONFIG } from '../../support/deviceFiles.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { startServer } from '../../support/server.ts';
import { AGENT, type Board, CLIENT, makeBoard, WATCHER } from './board.ts';
import { hasPartitions, makePartition } from './partition.ts';
import { bootWhen, request, requestText, stateOf, unitWhen } from './requests.ts';

const install = readPage('docs/install.md');
const operate = readPage('docs/operate.md');
/** Name of the package on the page. */
const DEB = /\S+\.deb/.exec(install)?.[0].split('/').at(-1) ?? '';

/** The first block of shell commands under a heading. */
function commands(page: string, heading: string): string {
  const [block] = codeBlocks(sectionOf(page, heading), 'sh');
  if (block === undefined) throw new Error(`no commands under ${heading}`);
  return block;
}

/** test/proofs/boards types these on Debian 12. */
const DEBIAN_12 = [
  'apt install ./thermal-provision-standalone',
  'tar -xf thermal-provision-standalone',
  'systemctl disable --now thermal-provision.path',
];

/**
 * The commands of npm need a checkout and the internet; `npm run check:package` tests that package. Others need more
 * cameras, with ssh or Ansible.
 */
const NOT_HERE = ['npm ci', 'npm install', 'mkdir -p collected\nwhile read', '# ssh', ...DEBIAN_12];

/** Debian's node_exporter is not needed for its folder, which a test may create. */
const metrics = commands(operate, 'Metrics for Prometheus');
const fleet = codeBlocks(operate, 'sh').find((block) => block.startsWith('thermal-provision fleet')) ?? '';

/** Runs commands as root, in sequence. Each of them must succeed. */
const type = (board: Board, block: string): Promise<string> => board.run('sh', '-euc', `cd /root\n${block}`);

describe.concurrent('the commands of docs/install.md and docs/operate.md', () => {
  it('work on a board, section by section', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const board = await makeBoard(onTestFinished);
    await board.copy(inject('deb'), `/root/${DEB}`);
    await board.install('/root/provision.json', requestText(server.port));
    await board.boot();
    await bootWhen(board);
    await board.run('dpkg', '--purge', 'thermal-provision');

    expect(await type(board, commands(install, 'Debian package'))).toMatch(/^enabled\nenabled$/m);
    await board.put(board.paths.thermalConfig, OLD_CONFIG);
    const first = await type(board, commands(operate, 'Provision a camera'));
    expect(first).toMatch(/^status: done$/m);
    expect(first).toContain('run.provisioned');
    expect(await provisionedProblems(board.paths, server)).toEqual([]);

    await type(board, commands(install, "The camera's client"));
    expect(await stateOf(board, CLIENT)).toMatchObject({ ActiveState: 'active' });
    expect(await type(board, commands(operate, 'Provision again'))).toMatch(/^status: done$/m);
    expect(await provisionedProblems(board.paths, server, 2)).toEqual([]);

    await type(board, commands(install, 'Upgrade'));
    const restored = commands(operate, 'Backups').replace(/restore 2 --dir \S+/, '$& --yes');
    expect(await type(board, restored)).toContain(board.paths.thermalConfig.split('/').at(-1));
    const inspect = /^(thermal-provision inspect[^#]*).*$/m;
    const shown = commands(operate, 'A page for support').replace(
      inspect,
      'timeout 10 $1 > shown || test $? = 124; cat shown',
    );
    expect(await type(board, shown)).toContain('http://127.0.0.1:');
    expect(await board.run('head', '-c', '15', '/root/run.html')).toBe('<!doctype html>');

    const status = 'thermal-provision status --format json --dir /var/lib/thermal-camera';
    await type(board, `mkdir collected; ${status} >collected/camera.json || test $? = 2`);
    await type(board, fleet.replaceAll(/^[^#]*[^#\s]/gm, '$& || test $? = 2'));
    expect(await board.run('head', '-c', '15', '/root/fleet.html')).toBe('<!doctype html>');
    await type(board, metrics.replace(/^apt .*$/m, ''));
    expect(await board.run('systemctl', 'cat', AGENT)).toContain('--format openmetrics');

    // After the backup was restored, status reports another device and ends with 2.
    const reset = commands(operate, 'Factory reset').replace(/^thermal-provision status .*$/m, '$& || test $? = 2');
    expect(await type(board, reset)).toContain('DEVICE_MISMATCH');
    expect(await readdir(board.paths.deviceFolder)).toEqual(['provision.json']);
    expect(await stateOf(board, WATCHER)).toMatchObject({ ActiveState: 'active', SubState: 'waiting' });
  });

  it('work by hand when no unit starts the agent', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const board = await makeBoard(onTestFinished);
    await board.install('/root/provision.json', requestText(server.port));
    await board.boot();
    await board.run('systemctl', 'disable', '--now', AGENT, WATCHER);
    expect(await type(board, commands(operate, 'By hand'))).toMatch(/^status: done$/m);
    expect(await provisionedProblems(board.paths, server)).toEqual([]);

    await type(board, commands(operate, 'Certificates and user names'));
    const key = '/var/lib/thermal-camera/client_key.pem';
    expect(await board.run('stat', '-c', '%U %a', key)).toBe('thermal 600\n');
    const ofKey = await board.run('openssl', 'pkey', '-in', key, '-pubout');
    expect(await board.run('openssl', 'x509', '-in', '/root/certificate.pem', '-noout', '-pubkey')).toBe(ofKey);
  });

  it.skipIf(!hasPartitions)(
    "move the camera's folder to a partition, with an unfinished run",
    async ({ expect, onTestFinished }) => {
      const server = await startServer(onTestFinished);
      const card = await makePartition(onTestFinished);
      const board = await makeBoard(onTestFinished, { options: [`--bind=${card.device}`] });
      await board.install('/etc/fstab', codeBlocks(sectionOf(install, 'A read-only root'), 'text').join(''));
      await board.put(board.paths.thermalConfig, OLD_CONFIG);
      await request(board, server.port, { host: 'camera.invalid' });
      await board.boot();
      await unitWhen(board, AGENT, 'activating');
      await type(board, commands(install, 'A read-only root'));
      expect(await board.run('findmnt', '-no', 'SOURCE', '/var/lib/thermal-camera')).toBe(`${card.device}\n`);
      const paths = devicePaths(card.folder);
      expect(await readdir(paths.deviceFolder)).toEqual(
        expect.arrayContaining(await readdir(board.paths.deviceFolder)),
      );
      await board.put(paths.provisionJson, requestText(server.port));
      expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success' });
      expect(await provisionedProblems(paths, server)).toEqual([]);
    },
  );

  it('are all run here, except those of npm', ({ expect }) => {
    const typed = [
      ...['Debian package', "The camera's client", 'A read-only root', 'Upgrade'].map((heading) =>
        commands(install, heading),
      ),
      ...['Provision a camera', 'By hand', 'Certificates and user names', 'Provision again', 'Backups'].map((heading) =>
        commands(operate, heading),
      ),
      ...['A page for support', 'Factory reset'].map((heading) => commands(operate, heading)),
    ];
    const all = [...typed, metrics, fleet];
    const rest = codeBlocks(install + operate, 'sh').filter((block) => !all.includes(block));
    expect(rest.filter((block) => !NOT_HERE.some((start) => block.startsWith(start)))).toEqual([]);
  });
});
