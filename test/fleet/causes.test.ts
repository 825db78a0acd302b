import { expect, it } from 'vitest';
import { causesOf } from '../../src/fleet/causes.ts';
import { failedDocument, fleetOf, statusDocument } from '../support/fleetDocuments.ts';

it('groups the cameras that need somebody by status, code, server and hint, the largest group first', () => {
  const elsewhere = { server: { host: 'other.example', port: 1883, useSsl: false } };
  const documents = [
    failedDocument('cam-1', {}, elsewhere),
    failedDocument('cam-2'),
    failedDocument('cam-3'),
    failedDocument('cam-4', { hint: 'Something else.' }),
    failedDocument('cam-5', {}, { status: 'degraded' }),
    statusDocument('cam-6'),
    failedDocument('cam-7', {}, { status: 'running' }),
  ];
  const groups = causesOf(fleetOf(documents).cameras).map(({ server, cameras }) => [
    server,
    cameras.map(({ name }) => name),
  ]);
  expect(groups).toEqual([
    ['tb.example.com:8883', ['cam-2', 'cam-3']],
    ['other.example:1883', ['cam-1']],
    ['tb.example.com:8883', ['cam-4']],
    ['tb.example.com:8883', ['cam-5']],
  ]);
});

it('groups hints that differ only in the name of the device or in the paths of a copy', () => {
  const documents = ['cam-1', 'cam-2'].map((device) =>
    failedDocument(
      device,
      { message: `${device} is refused`, hint: `Delete ${device}, then remove /copy/${device}/provision-state/x.` },
      { deviceFolder: `/copy/${device}`, stateFolder: `/copy/${device}/provision-state` },
    ),
  );
  expect(causesOf(fleetOf(documents).cameras)).toMatchObject([
    { message: '', hint: 'Delete <device>, then remove /copy/<device>/provision-state/x.' },
  ]);
  expect(causesOf(fleetOf(documents.slice(0, 1)).cameras)).toMatchObject([
    { message: 'cam-1 is refused', hint: 'Delete cam-1, then remove /copy/cam-1/provision-state/x.' },
  ]);
});
