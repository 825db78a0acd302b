import { expect, it } from 'vitest';
import { countFleet, type Fleet } from '../../src/fleet/fleet.ts';
import { fleetJson, fleetSchema } from '../../src/fleet/fleetJson.ts';
import { fleetText } from '../../src/fleet/fleetText.ts';
import type { DeviceStatus } from '../../src/status/deviceStatus.ts';
import { failedDocument, fleetOf, statusDocument } from '../support/fleetDocuments.ts';
import { NOW } from '../support/statusFiles.ts';

const textOf = (fleet: Fleet, all = false, width = 60): string =>
  fleetText(fleet, { all, width, now: NOW, paint: (_tone, text) => text });

const history = (durationMs: number): Pick<DeviceStatus, 'history'> => ({
  history: [{ state: 'request', enteredAt: '', durationMs, attempt: 1, resumed: false }],
});
const DAY_MS = 86_400_000;
const seen = (days: number): Pick<DeviceStatus, 'checkedAt'> => ({
  checkedAt: new Date(NOW - days * DAY_MS).toISOString(),
});

it('counts statuses and codes, then names the cameras of each cause with the hint, the slowest and the oldest', () => {
  const failed = Array.from({ length: 7 }, (_none, index) => failedDocument(`cam-${index}`, {}, history(index * 1000)));
  const fleet = fleetOf([
    ...failed,
    statusDocument('cam-8', { ...history(90_000), ...seen(3) }),
    statusDocument('cam-9', history(10)),
  ]);
  expect(textOf(fleet)).toBe(`fleet: 9 cameras
  error  7
  done   2

by code
  PROVISION_KEY_REFUSED  7

7 cameras: PROVISION_KEY_REFUSED on tb.example.com:8883
  tb.example.com:8883 does not know this device_key and
  device_secret (NOT_FOUND)
  hint: Copy device_key and device_secret again from the
  device profile.
    cam-0  collected/camera-0.json
    cam-1  collected/camera-1.json
    cam-2  collected/camera-2.json
    cam-3  collected/camera-3.json
    cam-4  collected/camera-4.json
    and 2 more: --all shows them

slowest runs
  cam-8  1 min 30 s
  cam-6       6.0 s
  cam-5       5.0 s
  cam-4       4.0 s
  cam-3       3.0 s

last run longest ago
  cam-0  1 minute ago
  cam-1  1 minute ago
  cam-2  1 minute ago
  cam-3  1 minute ago
  cam-4  1 minute ago

seen longest ago
  cam-8  3 days ago

version of the agent
  1.0.0  9
`);
  expect(textOf(fleet, true)).toContain('cam-6  collected/camera-6.json\n\nslowest');
});

it('fits a terminal of 60 columns, whatever the names are, and can not control the terminal', () => {
  const name = `\u001b[2J\n${'w'.repeat(200)}`;
  const count = countFleet();
  count.add({
    status: failedDocument(name, { message: `${name} failed`, hint: 'word '.repeat(50) }),
    source: `collected/${name}`,
    entry: undefined,
    seenAt: NOW,
  });
  for (const index of Array.from({ length: 8 }).keys()) count.refuse('damaged', `${name}${index}`, 'not JSON');
  for (const document of Array.from({ length: 30 }, (_none, index) =>
    failedDocument(`c${index}`, { code: `CODE_${index}`, hint: '' }),
  ))
    count.add({ status: document, source: 's', entry: undefined, seenAt: NOW });
  const text = textOf(count.result());
  expect(text).not.toContain('\u001b');
  // A word that is longer than a line has a line of its own.
  const tooWide = text.split('\n').filter((line) => line.length > 60 && !/^ +\S+$/.test(line));
  expect(tooWide).toEqual([]);
  expect(text).toContain('not counted, damaged: 8\n');
  expect(text).toContain('\n  and 3 more: --all shows them\n');
  expect(text).toContain('\n11 cameras with other causes: --all shows them\n');
  expect(textOf(count.result(), true)).not.toContain('--all');
});

it('names a file that it does not count in full, also where the line has no room for the reason', () => {
  const count = countFleet();
  count.refuse('newer', 'collected/camera-north-17.json', 'version 99 of the status document; this program knows 1');
  expect(textOf(count.result())).toContain(
    '  collected/camera-north-17.json:\n    version 99 of the status document; this program knows 1\n',
  );
});

it('shows no character that turns the direction of a line', () => {
  const count = countFleet();
  count.refuse('damaged', 'a\u202Enosj', 'not JSON');
  expect(textOf(count.result())).toContain('  a?nosj: not JSON\n');
});

it('says everything of an empty fleet', () => {
  expect(textOf(countFleet().result())).toBe('fleet: 0 cameras\n');
});

it('is also a document of docs/fleet.schema.json', () => {
  const old = failedDocument('cam-1', {}, seen(2));
  const fleet = fleetOf([old, failedDocument('cam-1'), statusDocument('cam-2'), statusDocument(null, { run: null })]);
  const count = { ...fleet, refused: [{ source: 'x', refusal: 'newer' as const, why: 'version 2' }] };
  const document = fleetSchema.parse(JSON.parse(fleetJson(count, NOW)));
  expect(document).toMatchObject({
    format: 'thermal-provision-fleet',
    version: 1,
    madeAt: new Date(NOW).toISOString(),
    exitStatus: 1,
    count: 3,
    older: 1,
    codes: [{ code: 'PROVISION_KEY_REFUSED', count: 1 }],
    versions: [
      { agentVersion: '1.0.0', count: 2 },
      { agentVersion: null, count: 1 },
    ],
    causes: [{ status: 'error', code: 'PROVISION_KEY_REFUSED', server: 'tb.example.com:8883', cameras: ['cam-1'] }],
    refused: [{ source: 'x', refusal: 'newer' }],
  });
  expect(document.states).toContainEqual({ status: 'error', count: 1 });
  expect(document.cameras[0]).toMatchObject({ name: 'cam-1', seenAt: new Date(NOW).toISOString(), status: 'error' });
});
