import { getEventListeners } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { STATES, STEPS } from '../../machines/provision.states.ts';
import { runDevice, type Scene, scene } from '../support/agentRun.ts';
import { OLD_CONFIG, OLD_DEVICE, OLD_TOKEN, putTrigger } from '../support/deviceFiles.ts';
import { configuredDevice, provisionedProblems } from '../support/provisionedDevice.ts';
import { assertNoSecrets } from '../support/secretSearch.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../support/server.ts';

const backupsIn = async ({ paths }: Scene): Promise<string[]> =>
  (await readdir(paths.deviceFolder)).filter((name) => name.startsWith('thermal_config.json.backup.'));

test('a camera without a configuration becomes one device', async () => {
  const { simulator, paths } = await scene({}, { config: null });
  const run = await runDevice(paths);
  expect(run).toMatchObject({ outcome: 'provisioned', exitStatus: 0, failure: null });
  expect(run.states).toEqual([...STEPS, 'provisioned']);
  expect(await provisionedProblems(paths, simulator)).toEqual([]);
  expect(run.deviceName).toMatch(/^thermal-camera-[A-Z0-9]{6}$/);
  expect((await configuredDevice(paths)).deviceId).toBe(run.deviceName);
  expect((await stat(paths.thermalConfig)).mode & 0o777).toBe(0o600);
  expect(simulator.registry.counts).toMatchObject({ provisionRequests: 1, successes: 1, failures: 0 });
});

test('a camera that is a gateway becomes one on the server', async () => {
  const { simulator, paths } = await scene({}, { device: { gateway: true } });
  expect((await runDevice(paths)).outcome).toBe('provisioned');
  expect(simulator.registry.devices()).toMatchObject([{ gateway: true }]);
});

test('a camera with a configuration keeps everything but its credentials, and a backup of all of it', async () => {
  const one = await scene();
  const run = await runDevice(one.paths);
  expect(run.outcome).toBe('provisioned');
  expect(await provisionedProblems(one.paths, one.simulator)).toEqual([]);
  const text = await readFile(one.paths.thermalConfig, 'utf8');
  expect(text).toContain('"serial": 12345678901234567890123, "note": "caf\\u00e9"');
  expect(text).not.toContain(OLD_TOKEN);
  const backups = await backupsIn(one);
  expect(backups).toHaveLength(1);
  expect(await readFile(join(one.paths.deviceFolder, backups.join()), 'utf8')).toBe(OLD_CONFIG);
  expect(run.of('device.former')).toMatchObject([{ details: { former: OLD_DEVICE } }]);
});

test('the proof is a separate connection, before anything is changed', async () => {
  const seen: string[] = [];
  const configAt = (): string => readFileSync(one.paths.thermalConfig, 'utf8');
  const one = await scene({
    onEvent: (event) => {
      if (event.type === 'attributeRequest') seen.push(configAt());
    },
  });
  await runDevice(one.paths);
  expect(seen).toEqual([OLD_CONFIG]);
});

test('another provision.txt generates another name, and the previous device is named', async () => {
  const { simulator, paths } = await scene();
  const first = await runDevice(paths);
  await putTrigger(paths);
  const second = await runDevice(paths);
  expect(second.outcome).toBe('provisioned');
  expect(second.deviceName).not.toBe(first.deviceName);
  expect(second.runId).not.toBe(first.runId);
  expect(await provisionedProblems(paths, simulator, 2)).toEqual([]);
  expect(
    second
      .of('device.former')
      .map(({ message }) => message)
      .join(),
  ).toContain(String(first.deviceName));
});

test('every log record has time, level, run, state, attempt and event', async () => {
  const { paths } = await scene();
  const { records, runId } = await runDevice(paths);
  expect(records.length).toBeGreaterThan(10);
  for (const record of records) {
    expect(new Date(record.time).toISOString()).toBe(record.time);
    expect(record).toMatchObject({ level: expect.any(String), message: expect.any(String) });
    expect(record.event).toMatch(/^[a-z]+\.[a-zA-Z]+$/);
    expect(record).toHaveProperty('state');
    expect(record).toHaveProperty('attempt');
    expect(record.runId).toBe(runId);
  }
  const entered = records.filter(({ event }) => event === 'state.entered');
  expect(entered).toMatchObject(
    STEPS.map((state) => ({ state, attempt: 1, message: STATES[state].doing, details: {} })),
  );
});

test('events.jsonl holds what was logged, without debug lines', async () => {
  const { paths } = await scene();
  const { records } = await runDevice(paths);
  const lines = (await readFile(paths.events, 'utf8')).trimEnd().split('\n');
  const events = lines.map((line): unknown => JSON.parse(line).event);
  expect(events).toEqual(records.filter(({ level }) => level !== 'debug').map(({ event }) => event));
  expect(events).toContain('run.provisioned');
  expect((await stat(paths.events)).mode & 0o777).toBe(0o600);
});

test('no secret in log, snapshot or events', async () => {
  const { simulator, paths } = await scene();
  const run = await runDevice(paths);
  const token = (await configuredDevice(paths)).token;
  expect(simulator.registry.devices()[0]?.token).toBe(token);
  await assertNoSecrets(paths.deviceFolder, run.text, [token, OLD_TOKEN, DEVICE_KEY, DEVICE_SECRET]);
});

test("the snapshot is durable before each step that can't be repeated without harm", async () => {
  const seen: Record<string, unknown> = {};
  const look = (what: string): void => {
    const { state, context } = JSON.parse(readFileSync(one.paths.snapshot, 'utf8'));
    seen[what] = { state, requestsOut: context.requestsOut };
  };
  const one = await scene({ onEvent: ({ type }) => type === 'request' && look('request') });
  await runDevice(one.paths, {
    sink: ({ event }) => {
      if (event === 'config.written' || event === 'trigger.processed') look(event);
      if (event === 'credentials.removed') look(event);
    },
  });
  expect(seen).toEqual({
    request: { state: 'request', requestsOut: 1 },
    'config.written': { state: 'write', requestsOut: 1 },
    'trigger.processed': { state: 'finalize', requestsOut: 1 },
    'credentials.removed': { state: 'provisioned', requestsOut: 1 },
  });
});

test('a run leaves no timer, no listener and no open file', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
  onTestFinished(() => void vi.useRealTimers());
  const { paths } = await scene();
  const { signal } = new AbortController();
  expect((await runDevice(paths, { signal })).outcome).toBe('provisioned');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  // The simulator's own timers end with its connections, a moment later.
  await expect.poll(() => vi.getTimerCount()).toBe(0);
  await putTrigger(paths);
  expect((await runDevice(paths, { signal: AbortSignal.abort() })).outcome).toBe('interrupted');
  expect(vi.getTimerCount()).toBe(0);
  const open = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // The descriptor of this listing.
      return [];
    }
  });
  expect(open.filter((path) => path.startsWith(paths.deviceFolder))).toEqual([]);
});

test('a run pauses before its first contact exactly if it shall', async () => {
  const eager = await scene();
  expect((await runDevice(eager.paths)).of('splay.waiting')).toEqual([]);
  const { simulator, paths } = await scene();
  const stop = new AbortController();
  const run = await runDevice(paths, {
    splaySeconds: 300,
    sink: ({ event }) => void (event === 'splay.waiting' && stop.abort()),
    signal: stop.signal,
  });
  expect(run.outcome).toBe('interrupted');
  expect(run.of('splay.waiting')).toHaveLength(1);
  expect(simulator.registry.counts.connects).toBe(0);
});

test('a run that is interrupted after its request leaves no connection', async () => {
  const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
  const before = sockets();
  const stop = new AbortController();
  const { paths } = await scene({
    faults: [{ on: 'request', action: 'silence' }],
    onEvent: ({ type }) => {
      if (type === 'request') setImmediate(() => stop.abort());
    },
  });
  expect((await runDevice(paths, { signal: stop.signal })).outcome).toBe('interrupted');
  await expect.poll(sockets).toBe(before);
});
