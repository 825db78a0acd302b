import { readdir, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { DevicePaths } from '../../../src/device/paths.ts';
import { issueAuthority, issueCertificate } from '../../../src/simulator/certificate.ts';
import { readSnapshot } from '../../../src/state/snapshotFile.ts';
import { type AgentEnd, runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import { putTrigger } from '../../support/deviceFiles.ts';
import { makeDeviceFolder } from '../../support/deviceFolder.ts';
import { fakedClock, fakedClockProblem } from '../../support/fakedClock.ts';
import { expectProvisioned } from '../../support/runChecks.ts';
import { startServer } from '../../support/server.ts';

if (fakedClockProblem !== undefined) console.warn(`test/proofs/process/clock.test.ts is skipped: ${fakedClockProblem}`);

const UNAVAILABLE = { on: 'provisionConnect', action: 'refuse', code: 3 } as const;

async function backupsIn({ deviceFolder }: DevicePaths): Promise<string[]> {
  const names = await readdir(deviceFolder);
  return names.filter((name) => name.startsWith('thermal_config.json.backup.')).sort();
}

/** Expects real durations in spite of clock jumps: none is negative, and their sum is at most the run time. */
async function expectRealDurations({ snapshot }: DevicePaths, ends: readonly AgentEnd[]): Promise<void> {
  const read = await readSnapshot(snapshot);
  if (read.kind !== 'snapshot') throw new Error(`the snapshot is ${read.kind}`);
  const durations = read.snapshot.history.map(({ durationMs }) => durationMs ?? 0);
  expect(Math.min(...durations)).toBeGreaterThanOrEqual(0);
  const ran = ends.reduce((sum, { startedAt, endedAt }) => sum + endedAt - startedAt, 0);
  expect(durations.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(ran);
  const seconds = Number(ends.at(-1)?.log.find(({ event }) => event === 'run.provisioned')?.seconds);
  expect(seconds).toBeGreaterThanOrEqual(0);
  expect(seconds * 1000).toBeLessThanOrEqual(ran + 100);
}

describe.skipIf(fakedClockProblem !== undefined).concurrent('a board without a battery-backed clock', () => {
  it.for(['1970-01-01 00:00:03', '2099-06-01 12:00:00'])(
    'that starts in %s is provisioned',
    async (time, { onTestFinished }) => {
      const server = await startServer(onTestFinished, { faults: [{ ...UNAVAILABLE, nth: 1 }] });
      const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning: { max_retries: 1 } });
      const { env } = await fakedClock(onTestFinished, time);
      const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { env });
      expect(end.log[0]?.time.slice(0, 4)).toBe(time.slice(0, 4));
      expect(end.log.filter(({ event }) => event === 'backoff.waiting')).toMatchObject([{ ms: 1000 }]);
      await expectRealDurations(paths, [end]);
      await expectProvisioned(paths, end, server);
    },
  );

  it.for([
    { name: 'forwards, to 2099', from: '1970-01-01 00:00:03', to: '2099-06-01 12:00:00' },
    { name: 'backwards, to 1970', from: '2099-06-01 12:00:00', to: '1970-01-01 00:00:03' },
  ])('a jump $name during a pause: the pause keeps its length', async ({ from, to }, { onTestFinished }) => {
    const faults = [1, 2].map((nth) => ({ ...UNAVAILABLE, nth }));
    const server = await startServer(onTestFinished, { faults });
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning: { max_retries: 3 } });
    const clock = await fakedClock(onTestFinished, from);
    const agent = startAgent(onTestFinished, paths.deviceFolder, { env: clock.env });
    await agent.logged('backoff.waiting');
    clock.set(to);
    const end = await agent.ended;
    const pauses = end.log.filter(({ event }) => event === 'backoff.waiting');
    expect(pauses).toMatchObject([{ ms: 1000 }, { ms: 2000 }]);
    const [first, second] = pauses;
    const connectedAgain = end.log.find(({ event }) => event === 'request.sent')?.at ?? Number.NaN;
    expect(connectedAgain - (second?.at ?? 0)).toBeGreaterThanOrEqual(1950);
    expect(connectedAgain - (first?.at ?? 0)).toBeLessThan(8000);
    await expectRealDurations(paths, [end]);
    await expectProvisioned(paths, end, server);
  });

  it('backups: the newest by name is the newest by time, also when the clock has gone back', async ({
    onTestFinished,
  }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const clock = await fakedClock(onTestFinished, '2099-06-01 12:00:00');
    const latest: string[] = [];
    for (const time of ['2099-06-01 12:00:00', '1970-01-01 00:00:03', '2026-11-23 10:00:00']) {
      clock.set(time);
      const before = await readFile(paths.thermalConfig, 'utf8');
      await putTrigger(paths);
      expect((await runAgentProcess(onTestFinished, paths.deviceFolder, { env: clock.env })).status).toBe(0);
      const newest = (await backupsIn(paths)).at(-1) ?? '';
      expect(await readFile(`${paths.deviceFolder}/${newest}`, 'utf8')).toBe(before);
      latest.push(newest);
    }
    expect(await backupsIn(paths)).toEqual(latest);
    const status = await runAgentProcess(onTestFinished, paths.deviceFolder, { command: ['status', '--long'] });
    expect(status.output).not.toMatch(/-\d+ (second|minute|hour|day|year)/);
  });

  it('a certificate that is not valid yet: retried, and provisioned when the clock is set', async ({
    onTestFinished,
  }) => {
    const ca = await issueAuthority();
    const server = await startServer(onTestFinished, { tls: await issueCertificate({ ips: ['127.0.0.1'], ca }) });
    const provisioning = { use_ssl: true, ca_file: 'ca.pem', max_retries: 3 };
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning });
    await writeFile(`${paths.deviceFolder}/ca.pem`, ca.cert);
    const clock = await fakedClock(onTestFinished, '1970-01-01 00:00:03');
    const agent = startAgent(onTestFinished, paths.deviceFolder, { env: clock.env });
    expect(await agent.logged('backoff.waiting')).toMatchObject({ code: 'TLS_NOT_YET_VALID', ms: 1000 });
    clock.set(new Date().toISOString().slice(0, 19).replace('T', ' '));
    const end = await agent.ended;
    await expectRealDurations(paths, [end]);
    await expectProvisioned(paths, end, server);
  });
});
