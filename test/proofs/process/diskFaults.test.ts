import { execFileSync, spawnSync } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { devicePaths } from '../../../src/device/paths.ts';
import type { FailureCode } from '../../../src/failures/catalogue.ts';
import { runAgentProcess } from '../../support/agentProcess.ts';
import { fileContentId } from '../../support/contentId.ts';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import type { Intrusion } from '../../support/intrusion.ts';
import { configuredDevice, provisionedProblems } from '../../support/provisionedDevice.ts';
import { expectFailed, expectFailureReport, expectNoSecrets, expectProvisioned } from '../../support/runChecks.ts';
import { startServer } from '../../support/server.ts';

type At = Omit<Intrusion, 'act'>;
type Errno = 'ENOSPC' | 'EIO' | 'EROFS' | 'EDQUOT';

interface DiskFault {
  readonly errno: Errno;
  readonly at: At;
  readonly code: FailureCode;
  /** Whether the request was sent before the disk failed. */
  readonly asked: boolean;
}

/** Hints of errors that need another hint than the usual one of their code. */
const HINTS: Partial<Record<Errno, RegExp>> = { EROFS: /Mount the file system read-write/, EDQUOT: /Raise the quota/ };
const hintOf = ({ errno }: DiskFault): { readonly hint?: RegExp } => {
  const hint = HINTS[errno];
  return hint === undefined ? {} : { hint };
};

const STATE = '/provision-state';

/** Faults at every file that a run writes. All of them leave the old configuration. */
const BEFORE_THE_WRITE: readonly DiskFault[] = [
  { errno: 'ENOSPC', at: { call: 'open', path: '/.provision-probe.tmp' }, code: 'DISK_FULL', asked: false },
  { errno: 'EIO', at: { call: 'sync', path: '/.provision-probe.tmp' }, code: 'DISK_ERROR', asked: false },
  { errno: 'EROFS', at: { call: 'open', path: '/.provision-probe.tmp' }, code: 'FOLDER_NOT_WRITABLE', asked: false },
  { errno: 'ENOSPC', at: { call: 'open', path: '/credentials.json.tmp' }, code: 'DISK_FULL', asked: false },
  { errno: 'EDQUOT', at: { call: 'sync', path: '/credentials.json.tmp' }, code: 'DISK_FULL', asked: false },
  { errno: 'EIO', at: { call: 'sync', path: STATE, lasting: true }, code: 'DISK_ERROR', asked: false },
  { errno: 'EIO', at: { call: 'sync', path: '/snapshot.json.tmp', lasting: true }, code: 'DISK_ERROR', asked: false },
  {
    errno: 'ENOSPC',
    at: { call: 'open', path: '/credentials.json.tmp', nth: 2, lasting: true },
    code: 'DISK_FULL',
    asked: true,
  },
  { errno: 'ENOSPC', at: { call: 'open', path: 'Z.tmp' }, code: 'DISK_FULL', asked: true },
  { errno: 'EIO', at: { call: 'sync', path: 'Z.tmp' }, code: 'DISK_ERROR', asked: true },
  { errno: 'ENOSPC', at: { call: 'open', path: '/thermal_config.json.tmp' }, code: 'DISK_FULL', asked: true },
  { errno: 'EIO', at: { call: 'sync', path: '/thermal_config.json.tmp' }, code: 'DISK_ERROR', asked: true },
  { errno: 'EROFS', at: { call: 'rename', path: '/thermal_config.json' }, code: 'FOLDER_NOT_WRITABLE', asked: true },
];

/** Faults that leave the complete new configuration and provision.txt. */
const AFTER_THE_WRITE: readonly DiskFault[] = [
  {
    errno: 'EROFS',
    at: { call: 'rename', path: '/provision.txt.processed' },
    code: 'FOLDER_NOT_WRITABLE',
    asked: true,
  },
  { errno: 'EIO', at: { call: 'rename', path: '/provision.txt.processed' }, code: 'DISK_ERROR', asked: true },
];

const describeFault = (fault: DiskFault) => ({
  ...fault,
  name: `${fault.errno} in ${fault.at.call} of ${fault.at.path}${fault.at.nth === undefined ? '' : ` (${fault.at.nth})`}`,
});

const intrusionsOf = ({ at, errno }: DiskFault): readonly Intrusion[] => [{ ...at, act: { do: 'fail', errno } }];

describe.concurrent('FR-010, SC-004: a disk that fails', () => {
  it.for(BEFORE_THE_WRITE.map(describeFault))(
    '$name: $code, the old configuration; the next boot completes',
    async (fault, { onTestFinished }) => {
      const server = await startServer(onTestFinished);
      const device = await makeDeviceFolder(onTestFinished, { port: server.port });
      const { paths } = device;
      const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { intrusions: intrusionsOf(fault) });
      await expectFailed(device, end, { code: fault.code, server, ...hintOf(fault) });
      expect(server.registry.counts.connects > 0).toBe(fault.asked);

      await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
    },
  );

  it.for(AFTER_THE_WRITE.map(describeFault))(
    '$name: $code, the new configuration; the next boot completes',
    async (fault, { onTestFinished }) => {
      const server = await startServer(onTestFinished);
      const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
      const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { intrusions: intrusionsOf(fault) });
      expectFailureReport(end, { ...fault, ...hintOf(fault) });
      expect(server.registry.devices()).toMatchObject([{ name: (await configuredDevice(paths)).deviceId }]);
      expect(await readdir(paths.deviceFolder)).toContain('provision.txt');

      await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
    },
  );

  it('EIO once while the issued credentials are stored: the device is found again by its token', async ({
    onTestFinished,
  }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const intrusions = [
      { call: 'sync', path: '/credentials.json.tmp', nth: 2, act: { do: 'fail', errno: 'EIO' } },
    ] as const;
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { intrusions });
    await expectProvisioned(paths, end, server);
    expect(end.log.map(({ event }) => event)).toContain('reconcile.accepted');
  });

  it('EIO in the last clean-up: success with a warning; the next boot cleans up without contacting the server', async ({
    onTestFinished,
  }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const intrusions = [{ call: 'unlink', path: '/credentials.json', act: { do: 'fail', errno: 'EIO' } }] as const;
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { intrusions });
    expect(end.status).toBe(0);
    expect(end.log.map(({ event }) => event)).toContain('credentials.left');
    const next = await runAgentProcess(onTestFinished, paths.deviceFolder);
    expect(next.log.map(({ event }) => event)).toContain('run.swept');
    expect(server.registry.counts.connects).toBe(2);
    await expectProvisioned(paths, next, server);
  });
});

/** Makes a mount namespace, which ordinary users may also do where the kernel permits it. */
const UNSHARE = ['unshare', '--user', '--map-root-user', '--mount'] as const;
const mayMount = spawnSync(UNSHARE[0], [...UNSHARE.slice(1), 'sh', '-c', 'mount -t tmpfs none /mnt']).status === 0;

/** Runs the agent on a copy of the folder in a small file system, frees space, runs it again, and copies it back. */
const SMALL_DISK = `
  mount -t tmpfs -o size=1400k none "$1" && cp -a "$2/." "$1" || exit 1
  head -c 800k /dev/zero > "$1/filler"
  "$3" "$4" run --dir "$1" 2>"$2/first.log"; echo $? > "$2/first.status"
  rm "$1/filler"
  cp -a "$1/." "$5"
`;

describe('SC-004: a file system that is really full', () => {
  it.skipIf(!mayMount)(
    'DISK_FULL before the request; with free space the next boot completes',
    async ({ onTestFinished }) => {
      const server = await startServer(onTestFinished);
      const { paths, config } = await makeDeviceFolder(onTestFinished, { port: server.port });
      const mount = await makeFolder(onTestFinished);
      const after = devicePaths(await makeFolder(onTestFinished));
      const script = [
        'sh',
        '-c',
        SMALL_DISK,
        'sh',
        mount,
        paths.deviceFolder,
        process.execPath,
        inject('bundle'),
        after.deviceFolder,
      ];
      execFileSync(UNSHARE[0], [...UNSHARE.slice(1), ...script], { timeout: 15_000, env: {} });
      const log = await readFile(join(paths.deviceFolder, 'first.log'), 'utf8');
      expect(log).toContain('"code":"DISK_FULL"');
      expect(log).toContain('Free disk space');
      expect(await readFile(join(paths.deviceFolder, 'first.status'), 'utf8')).toBe('74\n');
      expect(await fileContentId(after.thermalConfig)).toBe(config);
      expect(await readdir(after.deviceFolder)).toContain('provision.txt');
      expect(server.registry.counts.connects).toBe(0);
      await expectNoSecrets(after, []);

      await cp(after.deviceFolder, paths.deviceFolder, { recursive: true });
      const next = await runAgentProcess(onTestFinished, paths.deviceFolder);
      expect(next.status).toBe(0);
      expect(await provisionedProblems(paths, server)).toEqual([]);
    },
  );
});
