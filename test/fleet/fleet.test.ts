import { describe, expect, it } from 'vitest';
import { countFleet, type Fleet, fleetExit } from '../../src/fleet/fleet.ts';
import type { DeviceStatus } from '../../src/status/deviceStatus.ts';
import { failedDocument, fleetOf, statusDocument } from '../support/fleetDocuments.ts';

const day = (number: number): Pick<DeviceStatus, 'checkedAt'> => ({ checkedAt: `2026-11-0${number}T12:00:00.000Z` });
const run = (id: string): Pick<DeviceStatus, 'run'> => ({ run: { id, startedAt: '', agentVersion: '1.0.0' } });
const event = (runId: string): DeviceStatus['events'][number] => ({
  time: '2026-11-01T12:00:00.000Z',
  level: 'info',
  runId,
  state: null,
  event: 'run.started',
  message: '',
});

const NO_DEVICE: DeviceStatus['onServer'] = { kind: 'no device', names: [], server: null, why: '' };

const words = ({ cameras }: Fleet): string[] => cameras.map(({ name, status }) => `${name} ${status}`);

describe('a camera with several documents', () => {
  it('counts once, with the newest one, in any order', () => {
    const documents = [
      failedDocument('cam-1', {}, day(2)),
      statusDocument('cam-1', day(3)),
      failedDocument('cam-1', {}, day(1)),
    ];
    for (const order of [documents, documents.toReversed()]) {
      const fleet = fleetOf(order);
      expect(words(fleet)).toEqual(['cam-1 done']);
      expect(fleet.older).toBe(2);
    }
  });

  it('is recognised by its run if it has no device, also when the log of a later run names that run', () => {
    const first = failedDocument(null, {}, { ...day(1), ...run('r1'), configuredDevice: null, onServer: NO_DEVICE });
    const again = { ...first, ...day(2) };
    expect(fleetOf([first, again])).toMatchObject({ older: 1, cameras: [{ source: 'collected/camera-1.json' }] });
    const later = statusDocument('cam-1', { ...day(3), ...run('r2'), events: [event('r1'), event('r2')] });
    const fleet = fleetOf([first, later, again]);
    expect(words(fleet)).toEqual(['cam-1 done']);
    expect(fleet.older).toBe(2);
    const renamed = failedDocument('cam-0', {}, { ...day(1), ...run('r1'), onServer: NO_DEVICE });
    expect(words(fleetOf([renamed, later]))).toEqual(['cam-1 done']);
    // A cloned card has the log of its original.
    expect(fleetOf([{ ...renamed, onServer: later.onServer }, later]).cameras).toHaveLength(2);
    // The log that names the run is older than the run's own document.
    expect(fleetOf([{ ...first, ...day(4) }, later]).cameras).toHaveLength(2);
  });

  it('is not mixed up with others: other servers, a refused name, a factory name before the first run', () => {
    const elsewhere = { server: { host: 'other.example', port: 1883, useSsl: false } };
    expect(fleetOf([statusDocument('cam-1'), statusDocument('cam-1', elsewhere)]).cameras).toHaveLength(2);
    const taken = (id: string): DeviceStatus => failedDocument('cam-1', { code: 'DEVICE_NAME_TAKEN' }, run(id));
    expect(fleetOf([statusDocument('cam-1'), taken('r2'), taken('r3')]).cameras).toHaveLength(3);
    const fresh = statusDocument('factory', { status: 'not started', run: null });
    expect(fleetOf([fresh, fresh]).cameras).toHaveLength(2);
    const count = countFleet();
    // Two sites may have a host of this name.
    for (const source of ['site-a/cam.json', 'site-b/cam.json']) {
      count.add({ status: failedDocument(null, {}, { run: null }), source, entry: 'cam', seenAt: null });
    }
    expect(count.result().cameras).toHaveLength(2);
  });

  it('is recognised by the name of its file before its first run', () => {
    const count = countFleet();
    for (const [folder, seenAt] of [
      ['monday', 1],
      ['tuesday', 2],
    ] as const) {
      const status = statusDocument('factory', { status: 'not started', run: null });
      count.add({ status, source: `${folder}/cam7.json`, entry: 'cam7', seenAt });
    }
    expect(count.result()).toMatchObject({ older: 1, cameras: [{ source: 'tuesday/cam7.json' }] });
  });
});

it('lists the cameras that need somebody first, by status and by name', () => {
  const documents = [
    statusDocument('cam-2'),
    statusDocument('cam-10', { status: 'running' }),
    failedDocument('cam-9', {}, { status: 'degraded' }),
    failedDocument('cam-10b'),
    failedDocument('cam-8'),
  ];
  expect(words(fleetOf(documents))).toEqual([
    'cam-8 error',
    'cam-10b error',
    'cam-9 degraded',
    'cam-10 running',
    'cam-2 done',
  ]);
});

describe('the exit status', () => {
  const done = statusDocument('cam-1');
  const degraded = failedDocument('cam-2', {}, { status: 'degraded' });
  const failed = failedDocument('cam-3');

  it.each([
    ['only healthy cameras', [done, statusDocument('cam-4', { status: 'running' })], 0],
    ['a degraded camera', [done, degraded], 2],
    ['a failed camera', [done, degraded, failed], 1],
    ['no camera', [], 1],
  ])('with %s is that of status', (_name, documents, expected) => {
    expect(fleetExit(fleetOf(documents))).toBe(expected);
  });

  it.each([
    ['unreadable', 1],
    ['empty', 1],
    ['damaged', 1],
    ['too large', 1],
    ['newer', 1],
    ['foreign', 0],
  ] as const)('with an input that is %s is %i', (refusal, expected) => {
    const fleet = fleetOf([done]);
    expect(fleetExit({ ...fleet, refusals: { ...fleet.refusals, [refusal]: 1 } })).toBe(expected);
  });
});
