import { chmod, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, inject, it } from 'vitest';
import type { SimulatorOptions } from '../../../src/simulator/simulator.ts';
import { codeBlocks, readPage, sectionOf } from '../../docs/markdown.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { OLD_CONFIG, OLD_TOKEN } from '../../support/deviceFiles.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { DEVICE_KEY, DEVICE_SECRET, startServer, watchEvents } from '../../support/server.ts';
import { instantProblems } from '../certify/invariants.ts';
import { AGENT, type Board, type BoardKind, CLIENT, makeBoard, WATCHER } from './board.ts';
import { hasPartitions, makePartition, mountUnit } from './partition.ts';
import { bootWhen, request, requestText, SHORT_PAUSES, stateOf, unitWhen, until } from './requests.ts';

const MOUNT = 'var-lib-thermal\\x2dcamera.mount';
const FOLDER = '/var/lib/thermal-camera';
const [fstab = ''] = codeBlocks(sectionOf(readPage('docs/install.md'), 'A read-only root'), 'text');
const line = fstab.split('\n').find((one) => one.includes(FOLDER)) ?? '';

/** Whether the root refuses every change, or forgets it at the next boot. */
const ROOTS = [
  { name: 'a read-only root', root: 'read-only' },
  { name: 'an overlay in RAM over the root', root: 'overlayroot' },
] as const;
type Root = (typeof ROOTS)[number]['root'];

const logging = { output: 'file', log_file: '/var/log/thermal-camera/client.log' };
const LOGGING = JSON.stringify({ ...JSON.parse(OLD_CONFIG), logging });

interface OwnPartition {
  readonly machineId?: string;
  readonly options?: readonly string[];
  /** Default: the device of the partition. */
  readonly device?: string;
}

/** A board that mounts a partition at the camera's folder, as docs/install.md says. */
async function boardWithPartition(atEnd: AtEnd, root: Root, own: OwnPartition = {}): Promise<Board> {
  const { device, folder } = await makePartition(atEnd);
  const { options = [], machineId } = own;
  const board = await makeBoard(atEnd, {
    root,
    options: [`--bind=${device}`, ...options],
    cameraFolder: folder,
    ...(machineId === undefined ? {} : { machineId }),
  });
  await board.install(`/usr/lib/systemd/system/${MOUNT}`, mountUnit(line, own.device ?? device));
  await board.enable(MOUNT);
  return board;
}

/** Makes what sysfs shows of a network card with an address of its own. @returns the option that shows it to a board */
async function networkCard(): Promise<string> {
  const folder = await mkdtemp(join(inject('boards'), 'net-'));
  await chmod(folder, 0o755);
  await mkdir(join(folder, 'eth0/device'), { recursive: true });
  await writeFile(join(folder, 'eth0/address'), 'b8:27:eb:0a:1f:3c\n');
  await writeFile(join(folder, 'eth0/addr_assign_type'), '0\n');
  return `--bind-ro=${folder}:/sys/class/net`;
}

const machineIdOf = (board: Board): Promise<string> => board.run('cat', '/etc/machine-id');

/** The messages of the client, in the journal and in its log file. */
const logOf = async (board: Board): Promise<string> =>
  (await board.journal(CLIENT)) + (await board.run('sh', '-c', 'cat /var/log/thermal-camera/client.log || true'));

const doctorOf = (board: Board): Promise<string> =>
  board.run('sh', '-c', `thermal-provision doctor --dir ${FOLDER} || true`);

const COMMITTED: SimulatorOptions = { faults: [{ on: 'request', nth: 1, action: 'dropAnswer' }] };

/** With /var in RAM, the folder does not exist until a unit of the package starts. */
const PUT_FILES = `install -d -o thermal -g thermal ${FOLDER}
install -o thermal -g thermal -m 600 /root/provision.json ${FOLDER}
touch ${FOLDER}/provision.txt
systemctl start ${AGENT} || true`;

const SECRETS = [DEVICE_KEY, DEVICE_SECRET, OLD_TOKEN];

/** Cuts the power after the server has committed a device whose answer is lost. @returns the running server */
async function interruptedBoard(atEnd: AtEnd, root: Root, own?: OwnPartition) {
  const watch = watchEvents();
  const server = await startServer(atEnd, { ...COMMITTED, onEvent: watch.onEvent });
  const board = await boardWithPartition(atEnd, root, own);
  await board.put(board.paths.thermalConfig, OLD_CONFIG);
  await request(board, server.port, { timeout_seconds: 60 });
  await board.edit(AGENT, SHORT_PAUSES);
  await board.boot();
  await until(
    async () => watch.events.some((event) => event.type === 'fault'),
    (reached) => reached,
    20,
  );
  const machineId = await machineIdOf(board);
  await board.cutPower();
  return { server, board, machineId };
}

/** Boots once more. @returns when all jobs of the boot have ended */
async function reboot(board: Board): Promise<void> {
  await board.cutPower();
  await board.boot();
  await bootWhen(board);
}

describe.skipIf(!hasPartitions).concurrent('a partition of its own at the camera folder', () => {
  it.for(ROOTS)('under $name: one device, and the next boots do nothing', async ({ root }, context) => {
    const { expect, onTestFinished } = context;
    const server = await startServer(onTestFinished);
    const board = await boardWithPartition(onTestFinished, root);
    await board.enable(CLIENT);
    await board.put(board.paths.thermalConfig, LOGGING);
    await board.boot();
    await bootWhen(board);
    expect(await stateOf(board, WATCHER)).toMatchObject({ ActiveState: 'active', SubState: 'waiting' });

    await request(board, server.port);
    expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success', NRestarts: '0' });
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
    expect(await board.journal(AGENT)).not.toMatch(/volatile|unseen|may not last/i);
    expect(await doctorOf(board)).not.toMatch(/^✗/m);
    await until(
      () => logOf(board),
      (lines) => lines.includes(root === 'read-only' ? 'log.unwritable' : '"event":"session.'),
    );

    const config = await readFile(board.paths.thermalConfig, 'utf8');
    for (let boots = 0; boots < 2; boots += 1) {
      await reboot(board);
      expect(await board.unit(AGENT)).toMatchObject({ ActiveState: 'inactive', ConditionResult: 'no' });
      expect(await stateOf(board, CLIENT)).toMatchObject({ ActiveState: 'active', NRestarts: '0' });
    }
    expect(await readFile(board.paths.thermalConfig, 'utf8')).toBe(config);
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
  });

  it.for(ROOTS)('under $name: a run resumes after a power failure', async ({ root }, context) => {
    const { expect, onTestFinished } = context;
    const { server, board } = await interruptedBoard(onTestFinished, root);
    const device = { paths: board.paths, server, configBefore: Buffer.from(OLD_CONFIG), secrets: SECRETS };
    expect(await instantProblems(device, '')).toEqual([]);
    await board.boot();
    expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success', NRestarts: '0' });
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
    expect(await instantProblems(device, await board.journal(AGENT))).toEqual([]);
  });

  it.for(ROOTS)(
    'under $name: a network card identifies a board with another machine-id at each boot',
    async ({ root }, context) => {
      const { expect, onTestFinished } = context;
      const own = { machineId: '', options: [await networkCard()] };
      const { server, board, machineId } = await interruptedBoard(onTestFinished, root, own);
      await board.boot();
      expect(await machineIdOf(board)).not.toBe(machineId);
      expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success' });
      expect(await provisionedProblems(board.paths, server)).toEqual([]);
    },
  );

  it.for(ROOTS)(
    'under $name: a warning says that nothing identifies the board at the next boot',
    async ({ root }, context) => {
      const { expect, onTestFinished } = context;
      const server = await startServer(onTestFinished);
      const board = await boardWithPartition(onTestFinished, root, { machineId: '' });
      await request(board, server.port);
      await board.boot();
      expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success' });
      expect(await board.journal(AGENT)).toContain('"event":"board.volatile"');
      expect(await doctorOf(board)).toContain('machine-id');
      await reboot(board);
      expect(await board.unit(AGENT)).toMatchObject({ ActiveState: 'inactive', ConditionResult: 'no' });
      expect(await provisionedProblems(board.paths, server)).toEqual([]);
    },
  );

  it('that can not be mounted: no run in the folder below it', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const below = await boardWithPartition(onTestFinished, 'overlayroot', { device: '/dev/absent' });
    await below.install(`${FOLDER}/provision.json`, requestText(server.port));
    await below.install(`${FOLDER}/provision.txt`, '');
    await below.boot();
    await bootWhen(below);
    for (const unit of [AGENT, WATCHER]) expect(await below.unit(unit)).toMatchObject({ ActiveState: 'inactive' });
    expect(await below.run('ls', FOLDER)).toBe('provision.json\nprovision.txt\n');
    expect(server.registry.counts.connects).toBe(0);
  });
});

/** Without a partition, a boot loses what the last one wrote. */
const FORGETFUL: readonly { where: string; board: BoardKind; says: string }[] = [
  { where: 'a tmpfs at /var', board: { options: ['--volatile=state'] }, says: 'is on a tmpfs ' },
  {
    where: 'an overlay in RAM over the root',
    board: { root: 'overlayroot' },
    says: 'whose upper layer .* on a tmpfs ',
  },
  {
    where: 'an overlay of the initramfs, whose layers are hidden',
    board: { options: ['--volatile=overlay'] },
    says: 'in RAM \\(boot=overlay ',
  },
];

describe.concurrent('the camera folder', () => {
  it.for(FORGETFUL)('in $where: each boot refuses to provision', async ({ board: kind, says }, context) => {
    const { expect, onTestFinished } = context;
    const server = await startServer(onTestFinished);
    const board = await makeBoard(onTestFinished, kind);
    // A container shows the command line of this machine's kernel.
    await board.install('/etc/cmdline', 'root=/dev/mmcblk0p2 boot=overlay\n');
    await board.edit(AGENT, '[Service]\nBindReadOnlyPaths=/etc/cmdline:/proc/cmdline\n');
    await board.install('/root/provision.json', requestText(server.port));
    for (let boots = 0; boots < 2; boots += 1) {
      await board.boot();
      await bootWhen(board);
      await board.run('sh', '-euc', PUT_FILES);
      expect(await unitWhen(board, AGENT, 'failed')).toMatchObject({ ExecMainStatus: '78', NRestarts: '0' });
      expect(await board.journal(AGENT)).toMatch(new RegExp(`${says}.*"code":"VOLATILE_STORAGE"`));
      const status = await board.run('sh', '-c', `thermal-provision status --dir ${FOLDER} || true`);
      expect(status).toMatch(/^status: error\n[\s\S]*\nerror: +VOLATILE_STORAGE: /);
      await board.cutPower();
    }
    expect(server.registry.counts.connects).toBe(0);
  });

  it('in a read-only root: the run says so, and the client runs', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const board = await makeBoard(onTestFinished, { root: 'read-only' });
    await board.enable(CLIENT);
    await board.put(board.paths.thermalConfig, OLD_CONFIG);
    await request(board, server.port);
    await board.boot();
    await bootWhen(board);
    expect(await unitWhen(board, AGENT, 'failed')).toMatchObject({ ExecMainStatus: '77', NRestarts: '0' });
    expect(await board.journal(AGENT)).toMatch(/EROFS.*"code":"FOLDER_NOT_WRITABLE"/);
    expect(await stateOf(board, CLIENT)).toMatchObject({ ActiveState: 'active', NRestarts: '0' });
    expect(server.registry.counts.provisionRequests).toBe(0);
  });
});
