import { chmod, chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { FailureCode } from '../../../src/failures/catalogue.ts';
import { runAgentProcess } from '../../support/agentProcess.ts';
import { type InterruptedRun, interruptedRun } from '../../support/interruptedRun.ts';
import { configuredDevice } from '../../support/provisionedDevice.ts';
import { expectFailed, expectProvisioned } from '../../support/runChecks.ts';
import { giveToUnprivileged, isRoot, unprivileged } from '../../support/unprivileged.ts';

const DAMAGES = [
  { name: 'empty', content: '' },
  { name: 'truncated', content: (text: string) => text.slice(0, text.length / 2) },
  { name: 'binary', content: Buffer.from([0, 0xff, 0xfe, 1]) },
  { name: 'with another structure', content: '{"format":"something","version":1}' },
  {
    name: 'with a broken field',
    content: (text: string) => text.replace(/"candidates": \[|"requestsOut": \d+/, '"$&'),
  },
  { name: '10 MB', content: 'x'.repeat(10_000_000) },
  { name: 'a folder', content: undefined },
] as const;

async function damage(path: string, content: (typeof DAMAGES)[number]['content']): Promise<void> {
  const before = await readFile(path, 'utf8');
  await rm(path);
  if (content === undefined) await mkdir(path);
  else await writeFile(path, typeof content === 'function' ? content(before) : content);
}

/** Changes a file to the next version of its format. */
async function fromTheFuture(path: string): Promise<string> {
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace(/"version": \d+/, '"version": 99'));
  return text;
}

describe.concurrent('a damaged file of an interrupted run', () => {
  it.for(DAMAGES)(
    'FR-010: snapshot $name: set aside with a message, the device of that run is found',
    async ({ content }, { onTestFinished }) => {
      const { paths, server, deviceName } = await interruptedRun(onTestFinished);
      await damage(paths.snapshot, content);
      const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
      await expectProvisioned(paths, end, server);
      expect((await configuredDevice(paths)).deviceId).toBe(deviceName);
      expect(end.log.find(({ event }) => event === 'snapshot.damaged')).toMatchObject({ level: 'warn' });
      expect(
        (await readdir(paths.stateFolder)).filter((name) => name.startsWith('snapshot.json.damaged-')),
      ).toHaveLength(1);
    },
  );

  it.for(DAMAGES)(
    'FR-010: credentials $name: set aside, warns of a possible unused device, generates new ones',
    async ({ content }, { onTestFinished }) => {
      const { paths, server, deviceName } = await interruptedRun(onTestFinished);
      await damage(paths.credentials, content);
      const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
      await expectProvisioned(paths, end, server, 2);
      expect((await configuredDevice(paths)).deviceId).not.toBe(deviceName);
      expect(end.log.find(({ event }) => event === 'credentials.damaged')?.message).toMatch(
        /an unused device may exist/,
      );
    },
  );
});

interface Unusable {
  readonly name: string;
  readonly code: FailureCode;
  /** Makes the file unusable. @returns a function that repairs it */
  readonly put: (run: InterruptedRun) => Promise<() => unknown>;
  readonly onlyRoot?: boolean;
}

const UNUSABLE: readonly Unusable[] = [
  {
    name: 'a snapshot of a newer agent',
    code: 'SNAPSHOT_NEWER',
    put: async ({ paths }) => {
      const text = await fromTheFuture(paths.snapshot);
      return () => writeFile(paths.snapshot, text);
    },
  },
  {
    name: 'credentials of a newer agent',
    code: 'CREDENTIALS_NEWER',
    put: async ({ paths }) => {
      const text = await fromTheFuture(paths.credentials);
      return () => writeFile(paths.credentials, text);
    },
  },
  {
    name: 'a snapshot without read permission',
    code: 'FILE_NOT_PERMITTED',
    put: async ({ paths }) => {
      await chmod(paths.snapshot, 0);
      return () => chmod(paths.snapshot, 0o600);
    },
  },
  {
    name: 'credentials without read permission',
    code: 'CREDENTIALS_FOREIGN_OWNER',
    put: async ({ paths }) => {
      await chmod(paths.credentials, 0);
      return () => chmod(paths.credentials, 0o600);
    },
  },
  {
    name: 'credentials of another user',
    code: 'CREDENTIALS_FOREIGN_OWNER',
    onlyRoot: true,
    put: async ({ paths }) => {
      await chown(paths.credentials, 1234, 1234);
      await chmod(paths.credentials, 0o644);
      return async () => {
        await giveToUnprivileged(paths.deviceFolder);
        await chmod(paths.credentials, 0o600);
      };
    },
  },
  {
    name: 'a snapshot of another user, without read permission',
    code: 'FILE_NOT_PERMITTED',
    onlyRoot: true,
    put: async ({ paths }) => {
      await chown(paths.snapshot, 1234, 1234);
      return () => giveToUnprivileged(paths.deviceFolder);
    },
  },
];

describe.concurrent('an unusable file of an interrupted run', () => {
  it.for(UNUSABLE)(
    'SC-004: $name: $code, nothing is sent; repaired, the run resumes',
    async (unusable, { onTestFinished, skip }) => {
      skip(unusable.onlyRoot === true && !isRoot, 'only root can give files away');
      const run = await interruptedRun(onTestFinished);
      const { paths, server, deviceName } = run;
      await giveToUnprivileged(paths.deviceFolder);
      const repair = await unusable.put(run);
      const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { user: unprivileged });
      await expectFailed(run, end, { code: unusable.code, server });
      expect(server.registry.counts.connects).toBe(1);

      await repair();
      const next = await runAgentProcess(onTestFinished, paths.deviceFolder, { user: unprivileged });
      await expectProvisioned(paths, next, server);
      expect((await configuredDevice(paths)).deviceId).toBe(deviceName);
    },
  );

  it('credentials and folder with permissions for others: tightened with a warning', async ({ onTestFinished }) => {
    const { paths, server } = await interruptedRun(onTestFinished);
    await chmod(paths.credentials, 0o644);
    await chmod(paths.stateFolder, 0o755);
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    await expectProvisioned(paths, end, server);
    const warnings = end.log.filter(({ level }) => level === 'warn').map(({ event }) => event);
    expect(warnings).toEqual(expect.arrayContaining(['credentials.tightened', 'state.tightened']));
    expect((await stat(paths.stateFolder)).mode & 0o777).toBe(0o700);
  });
});

/** Thirty years. */
const YEARS_MS = 30 * 365 * 86_400_000;

/** Shifts every time in a snapshot, as if the clock had been wrong at its write. */
async function shiftTimes(path: string, ms: number): Promise<void> {
  const text = await readFile(path, 'utf8');
  const shifted = text
    .replaceAll(/("(?:startedAt|now|unknownAt|retryAt)": )(\d{12,})/g, (_all, key, time) => key + (Number(time) + ms))
    .replaceAll(/"(\d{4}-\d\d-\d\dT[\d:.]+Z)"/g, (_all, time) => JSON.stringify(new Date(Date.parse(time) + ms)));
  expect(shifted).not.toBe(text);
  await writeFile(path, shifted);
}

describe.concurrent('a clock that jumps by years between interruption and resume', () => {
  it.for([
    { name: 'forwards', ms: -YEARS_MS },
    { name: 'backwards', ms: YEARS_MS },
  ])(
    'SC-001: $name, with an unanswered request: the next boot completes at once',
    async ({ ms }, { onTestFinished }) => {
      const { paths, server, deviceName } = await interruptedRun(onTestFinished);
      await shiftTimes(paths.snapshot, ms);
      const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
      await expectProvisioned(paths, end, server);
      expect((await configuredDevice(paths)).deviceId).toBe(deviceName);
      expect(end.log.map(({ event }) => event)).not.toContain('backoff.waiting');
    },
  );
});
