import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, inject, it } from 'vitest';
import { devicePaths } from '../../../src/device/paths.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { OLD_CONFIG } from '../../support/deviceFiles.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { startServer, watchEvents } from '../../support/server.ts';
import { mountLayers } from '../boot/layers.ts';
import { requestText } from '../boot/requests.ts';

const images = inject('images');
const packages = inject('packages');
const call = promisify(execFile);

/** Emulation is up to a hundred times slower than the processor, and others may use the machine. */
const COMMAND_LIMIT_MS = 10 * 60_000;
const TEST_LIMIT_MS = 60 * 60_000;
const CAMERA = '/var/lib/thermal-camera';
const MAIN = '/usr/share/thermal-provision/main.js';
const X86_EMULATOR = '/usr/bin/qemu-x86_64-static';

/** Preloaded into the program: writes what it has used. */
const MEASURE = `import { writeFileSync } from 'node:fs';
process.on('exit', () => {
  writeFileSync(process.env.THERMAL_DIR + '/used', JSON.stringify(process.resourceUsage()));
});
`;

interface Kind {
  readonly name: string;
  readonly image: string | undefined;
  readonly deb: string | undefined;
  readonly node: string;
  /** What the figures are compared with: the same Node for amd64. */
  readonly base?: string;
  /** An emulator that the kernel does not start by itself. */
  readonly emulator?: string;
}

const DEBIAN_NODE = '/usr/bin/node';
const OWN_NODE = '/usr/lib/thermal-provision/node';
const amd64 = { image: images['debian-13'], emulator: X86_EMULATOR };
const KINDS: readonly Kind[] = [
  { name: "amd64, Debian's Node", ...amd64, deb: packages.all, node: DEBIAN_NODE },
  { name: 'amd64, standalone', ...amd64, deb: packages.amd64, node: OWN_NODE },
  {
    name: "arm64, Debian's Node",
    image: images.arm64,
    deb: packages.all,
    node: DEBIAN_NODE,
    base: "amd64, Debian's Node",
  },
  { name: 'arm64, standalone', image: images.arm64, deb: packages.arm64, node: OWN_NODE, base: 'amd64, standalone' },
  {
    name: "armhf, Debian's Node",
    image: images.armhf,
    deb: packages.all,
    node: DEBIAN_NODE,
    base: "amd64, Debian's Node",
  },
];

/** Processor time and memory of a run. */
interface Used {
  readonly seconds: number;
  readonly mebibytes: number;
}
const used = new Map<string, Used>();

afterAll(() => {
  for (const { name, base = '' } of KINDS) {
    const one = used.get(name);
    const other = used.get(base);
    if (one === undefined) continue;
    const ratios =
      other === undefined
        ? ''
        : `; compared with ${base}: time ${(one.seconds / other.seconds).toFixed(2)}, memory ${(one.mebibytes / other.mebibytes).toFixed(2)}`;
    console.log(`${name}: a run took ${one.seconds.toFixed(1)} s of the processor and ${one.mebibytes} MiB${ratios}`);
  }
});

/** A system for another processor, in a folder. Its programs run in the network of the tests. */
interface Machine {
  readonly root: string;
  /** Starts a command as the user of the camera. */
  start(command: readonly string[]): ChildProcess;
  /** Runs a command to its end. @returns its standard output @throws when it fails */
  run(command: readonly string[], user?: string): Promise<string>;
}

const ENV = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  HOME: CAMERA,
  THERMAL_DIR: CAMERA,
  THERMAL_BOARD_ID: 'board-1',
  DEBIAN_FRONTEND: 'noninteractive',
};

async function makeMachine(atEnd: AtEnd, image: string, deb: string): Promise<Machine> {
  // On the disk: in RAM the agent would refuse to provision.
  const folder = join(inject('disk'), `machine-${randomBytes(4).toString('hex')}`);
  const { root } = await mountLayers(folder, [image]);
  atEnd(async () => {
    await call('umount', ['--recursive', '--lazy', root]);
    await rm(folder, { recursive: true, force: true });
  });
  await call('mount', ['-t', 'proc', 'proc', join(root, 'proc')]);
  await call('mount', ['--rbind', '/dev', join(root, 'dev')]);
  const start = (command: readonly string[], user = 'thermal:thermal'): ChildProcess =>
    spawn('nice', ['-n', '10', 'chroot', `--userspec=${user}`, root, ...command], {
      env: ENV,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const run = (command: readonly string[], user = 'thermal:thermal'): Promise<string> =>
    call('nice', ['-n', '10', 'chroot', `--userspec=${user}`, root, ...command], {
      env: ENV,
      timeout: COMMAND_LIMIT_MS,
      maxBuffer: 16 * 1024 * 1024,
    }).then(({ stdout }) => stdout);
  await copyFile(deb, join(root, 'root/package.deb'));
  await run(['dpkg', '--install', '/root/package.deb'], '0:0');
  await writeFile(join(root, 'usr/lib/measure.mjs'), MEASURE);
  await cp(dirname(inject('bundle')), join(root, 'opt/bundle'), { recursive: true });
  await writeFile(join(root, 'opt/package.json'), '{"type":"module"}\n');
  return { root, start: (command) => start(command), run };
}

describe.each(KINDS)('$name', ({ name, image, deb, node, emulator }) => {
  const isThere = image !== undefined && deb !== undefined;
  it.skipIf(!isThere)(
    'shows the demo, provisions, and resumes after a kill',
    async ({ expect, onTestFinished }) => {
      const watch = watchEvents();
      // The second request is answered to nobody.
      const faults = [{ on: 'request', nth: 2, action: 'dropAnswer' }] as const;
      const server = await startServer(onTestFinished, { faults, onEvent: watch.onEvent });
      const machine = await makeMachine(onTestFinished, image ?? '', deb ?? '');
      if (emulator !== undefined) await copyFile(emulator, join(machine.root, emulator));
      const started = (script: string, ...args: readonly string[]) => [
        ...(emulator === undefined ? [] : [emulator]),
        node,
        ...args,
        script,
      ];
      const program = emulator === undefined ? ['/usr/bin/thermal-provision'] : started(MAIN);
      const paths = devicePaths(join(machine.root, CAMERA));
      const put = async (file: string, text: string): Promise<void> => {
        await writeFile(file, text);
        await call('chown', ['--reference', paths.deviceFolder, file]);
      };
      const asked = requestText(server.port, { timeout_seconds: 60 });

      // The demo starts the agent in a process of its own, which only the kernel lets run under emulation.
      if (emulator === undefined) {
        expect(await machine.run([...started('/opt/bundle/main.js'), 'demo'])).toContain('Devices on the server: 1');
      }

      await put(paths.provisionJson, asked);
      await put(paths.thermalConfig, OLD_CONFIG);
      await put(paths.provisionTxt, '');
      await machine.run([...started(MAIN, '--import=/usr/lib/measure.mjs'), 'run']);
      expect(await provisionedProblems(paths, server)).toEqual([]);
      const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(
        await readFile(join(paths.deviceFolder, 'used'), 'utf8'),
      );
      await rm(join(paths.deviceFolder, 'used'));
      used.set(name, { seconds: (userCPUTime + systemCPUTime) / 1e6, mebibytes: Math.round(maxRSS / 1024) });

      const lost = new Promise<void>((resolve) => watch.when('fault', resolve));
      await put(paths.provisionTxt, '');
      const killed = machine.start([...program, 'run']);
      const ended = new Promise((resolve) => killed.once('exit', (status, signal) => resolve(signal ?? status)));
      await Promise.race([lost, ended]);
      killed.kill('SIGKILL');
      expect(await ended).toBe('SIGKILL');
      await machine.run([...program, 'run']);
      expect(await provisionedProblems(paths, server, 2)).toEqual([]);
      expect(await readFile(paths.events, 'utf8')).toContain('run.resumed');
      expect(await machine.run([...program, 'status'])).toMatch(/^status: done$/m);
    },
    TEST_LIMIT_MS,
  );
});
