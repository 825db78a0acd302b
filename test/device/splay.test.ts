import { mkdir } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { readProvisionJson } from '../../src/config/provision/provisionJson.ts';
import { settingsDigest } from '../../src/config/provision/settingsDigest.ts';
import { readBoardIdentity } from '../../src/device/board.ts';
import { createSplay, splayMs } from '../../src/device/splay.ts';
import { prepare } from '../../src/effects/prepare.ts';
import { silentLog } from '../../src/log/log.ts';
import { cutIn, runDevice, scene } from '../support/agentRun.ts';
import { effectCall, effectScene } from '../support/effectCall.ts';

const board = (id: string) => readBoardIdentity(id);

describe('the share of a device', () => {
  it('is the same each time, within the splay, and evenly spread over a fleet', async () => {
    const shares = await Promise.all(
      Array.from({ length: 2000 }, async (_, n) => splayMs(await board(`b${n}`), '', 60)),
    );
    const again = await Promise.all(
      Array.from({ length: 2000 }, async (_, n) => splayMs(await board(`b${n}`), '', 60)),
    );
    expect(again).toEqual(shares);
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...shares)).toBeLessThan(60_000);
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const count = shares.filter((ms) => Math.floor(ms / 6000) === tenth).length;
      // 200 expected; five standard deviations.
      expect(Math.abs(count - 200)).toBeLessThan(70);
    }
  });

  it('comes from the serial number where there is one, else from the machine-id, else from the generated name', () => {
    const serial = splayMs({ serial: 'a', machine: 'b' }, 'n', 300);
    expect(splayMs({ serial: 'a', machine: 'other' }, 'other', 300)).toBe(serial);
    expect(splayMs({ serial: null, machine: 'a' }, 'other', 300)).toBe(serial);
    expect(splayMs({ serial: null, machine: null }, 'a', 300)).toBe(serial);
    expect(splayMs({ serial: null, machine: null }, 'b', 300)).not.toBe(serial);
  });

  it('is a pause only once in a process', async () => {
    const splay = createSplay(1, await board('board-1'), silentLog);
    const { signal } = new AbortController();
    await splay('name', signal);
    const startedAt = performance.now();
    await splay('name', signal);
    expect(performance.now() - startedAt).toBeLessThan(50);
  });

  it('an abort ends the pause at once', async () => {
    const controller = new AbortController();
    const waiting = createSplay(300, { serial: 'x', machine: null }, silentLog)('name', controller.signal);
    controller.abort();
    await expect(waiting).rejects.toThrow();
  });
});

describe('the pause', () => {
  const of = async (id: string): Promise<number> => splayMs(await board(id), '', 1);

  it('happens once, before the first contact', async () => {
    const { simulator, paths } = await scene();
    let connectsBefore = Number.NaN;
    const startedAt = performance.now();
    const run = await runDevice(paths, {
      splaySeconds: 1,
      sink: ({ event }) => {
        if (event === 'request.sent') connectsBefore = simulator.registry.counts.connects;
      },
    });
    expect(run.outcome).toBe('provisioned');
    expect(run.of('splay.waiting')).toMatchObject([
      { level: 'info', state: 'prepare', details: { ms: await of('board-1') } },
    ]);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(await of('board-1'));
    expect(connectsBefore).toBe(1);
  });

  it('is off by default', async () => {
    const { paths } = await scene();
    expect((await runDevice(paths)).of('splay.waiting')).toEqual([]);
  });

  it('does not happen between two names', async () => {
    const { simulator, paths } = await scene({
      onEvent: (event) => {
        if (event.type !== 'request' || event.deviceName === undefined || simulatorHas()) return;
        simulator.registry.addDevice({ name: event.deviceName });
      },
    });
    const simulatorHas = (): boolean => simulator.registry.size > 0;
    const run = await runDevice(paths, { splaySeconds: 1 });
    expect(run.outcome).toBe('provisioned');
    expect(run.of('candidate.drawn')).toHaveLength(2);
    expect(run.of('splay.waiting')).toHaveLength(1);
  });

  it('is made by prepare for the first name only', async () => {
    const { paths } = await scene();
    await mkdir(paths.stateFolder, { mode: 0o700 });
    const { dependencies } = await effectScene(paths);
    const splay = vi.fn(async () => {});
    const digest = settingsDigest((await readProvisionJson(paths.provisionJson)).settings);
    const input = { runId: 'run-1', settingsDigest: digest, startedOver: false };
    await prepare({ ...dependencies, splay }, effectCall({ ...input, nameIndex: 1 }));
    expect(splay).toHaveBeenCalledTimes(1);
    await prepare({ ...dependencies, splay }, effectCall({ ...input, nameIndex: 2 }));
    expect(splay).toHaveBeenCalledTimes(1);
    // A name of an earlier run, whose request may have been sent.
    await prepare({ ...dependencies, splay }, effectCall({ ...input, runId: 'run-2', nameIndex: 1 }));
    expect(splay).toHaveBeenCalledTimes(1);
  });

  it('does not delay a resumed run whose request may have been sent', async () => {
    const { paths } = await scene();
    await cutIn(paths, 'request');
    const run = await runDevice(paths, { splaySeconds: 300 });
    expect(run).toMatchObject({ outcome: 'provisioned' });
    expect(run.of('splay.waiting')).toEqual([]);
  });

  it('happens again after a power loss during the pause: the whole site may boot at the same time', async () => {
    const { simulator, paths } = await scene();
    await cutIn(paths, 'prepare', { splaySeconds: 300 });
    expect(simulator.registry.counts.connects).toBe(0);
    const run = await runDevice(paths, { splaySeconds: 1 });
    expect(run.outcome).toBe('provisioned');
    expect(run.of('splay.waiting')).toHaveLength(1);
  });
});
