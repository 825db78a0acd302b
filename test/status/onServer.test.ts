import { describe, expect, it } from 'vitest';
import type { DeviceFiles } from '../../src/status/deviceFiles.ts';
import { onServer } from '../../src/status/onServer.ts';
import { onServerText } from '../../src/status/statusText.ts';
import { SETTINGS } from '../support/chartAnswers.ts';
import { CONFIG, filesWith, GRANTED, problem, runIn, STORED } from '../support/statusFiles.ts';

const failed = (code: string, context: Parameters<typeof runIn>[1]) =>
  runIn('failed', {
    ...context,
    error: { code, message: 'm', hint: 'h', retryable: false, exitStatus: 78, causes: [] },
  });

const NOTHING_SENT = { ...STORED, registeredNothing: true };
const DERIVED = { settings: { ...SETTINGS, derived: true }, requestsOut: 1, unknownAt: 1 } as const;

const CASES: Readonly<Record<string, readonly [DeviceFiles, string, readonly string[], RegExp]>> = {
  'no run': [filesWith(), 'no device', [], /^none \(no run of this agent is known\)$/],
  'a run that has sent nothing': [
    filesWith({ snapshot: runIn('prepare'), credentials: STORED }),
    'no device',
    [],
    /^none \(no request of this run created a device\)$/,
  ],
  'a name that an earlier run generated': [
    filesWith({ snapshot: runIn('validate'), credentials: { ...STORED, generatedBy: ['run-0'] } }),
    'unknown',
    ['cam-1'],
    /^unknown, possibly cam-1 \(an earlier run/,
  ],
  'credentials without a snapshot': [
    filesWith({ credentials: STORED }),
    'unknown',
    ['cam-1'],
    /^unknown, possibly cam-1 \(/,
  ],
  'a request without an answer': [
    filesWith({ snapshot: runIn('request', { requestsOut: 1 }), credentials: STORED }),
    'unknown',
    ['cam-1'],
    /^unknown, possibly cam-1 \(/,
  ],
  'a board secret, and no answer of the server yet': [
    filesWith({ snapshot: runIn('reconcile', DERIVED), credentials: NOTHING_SENT }),
    'unknown',
    ['cam-1'],
    /^unknown, possibly cam-1 \(the server was not asked yet whether it knows the credentials/,
  ],
  'a board secret that the server does not know': [
    filesWith({ snapshot: runIn('request', { ...DERIVED, probed: true }), credentials: NOTHING_SENT }),
    'no device',
    [],
    /^none \(the server does not know the credentials that the board secret gives\)$/,
  ],
  'a board secret, and a name that has other credentials': [
    filesWith({
      snapshot: failed('DEVICE_NAME_TAKEN', { ...DERIVED, requestsOut: 2, unknownAt: 1 }),
      credentials: STORED,
    }),
    'most likely none',
    ['cam-1'],
    /the server answered FAILURE and does not know this device's token/,
  ],
  'a second name': [
    filesWith({
      snapshot: runIn('request', { nameIndex: 2, deviceName: 'cam-2' }),
      credentials: { ...STORED, names: ['cam-1', 'cam-2'] },
    }),
    'unknown',
    ['cam-1', 'cam-2'],
    /cam-1 or cam-2/,
  ],
  'a refused probe': [
    filesWith({ snapshot: runIn('backoff', { requestsOut: 1, probed: true }), credentials: STORED }),
    'most likely none',
    ['cam-1'],
    /^probably no device cam-1 \(/,
  ],
  'a taken name': [
    filesWith({ snapshot: failed('DEVICE_NAME_TAKEN', { requestsOut: 1 }), credentials: STORED }),
    'most likely none',
    ['cam-1'],
    /FAILURE/,
  ],
  'a run whose requests were all answered, none with a device': [
    filesWith({
      snapshot: failed('DEVICE_NAME_TAKEN', { requestsOut: 2 }),
      credentials: { ...STORED, registeredNothing: true },
    }),
    'no device',
    [],
    /^none \(the server answered every request, and registered no device\)$/,
  ],
  'such a run, and a later run that asked nothing': [
    filesWith({
      snapshot: runIn('failed'),
      credentials: { ...STORED, generatedBy: ['run-0'], registeredNothing: true },
    }),
    'no device',
    [],
    /answered every request/,
  ],
  'such a run, whose snapshot is gone': [
    filesWith({ credentials: { ...STORED, registeredNothing: true } }),
    'no device',
    [],
    /answered every request/,
  ],
  'a taken name after a lost answer': [
    filesWith({ snapshot: failed('PROVISIONING_REFUSED', { requestsOut: 1, unknownAt: 1 }), credentials: STORED }),
    'unknown',
    ['cam-1'],
    /an earlier request has no known outcome, and a later one was answered FAILURE/,
  ],
  'credentials of another kind': [
    filesWith({ snapshot: failed('CREDENTIALS_TYPE_UNSUPPORTED', { requestsOut: 1 }), credentials: STORED }),
    'one device',
    ['cam-1'],
    /^one device, cam-1/,
  ],
  'issued credentials in the snapshot': [
    filesWith({ snapshot: runIn('write', { granted: GRANTED }) }),
    'one device',
    ['cam-1'],
    /^one/,
  ],
  'issued credentials that the snapshot does not have yet': [
    filesWith({ snapshot: runIn('request', { requestsOut: 1 }), credentials: { ...STORED, granted: 'cam-1' } }),
    'one device',
    ['cam-1'],
    /^one device/,
  ],
  'a withdrawn run, whose context has no counts': [
    filesWith({ snapshot: runIn('withdrawn', { deviceName: null }), credentials: STORED }),
    'unknown',
    ['cam-1'],
    /^unknown, possibly/,
  ],
  "credentials that can't be read": [
    filesWith({ snapshot: runIn('request'), credentials: problem('CREDENTIALS_DAMAGED') }),
    'unknown',
    ['cam-1'],
    /can't be read/,
  ],
  'a run whose snapshot is damaged': [
    filesWith({ snapshot: problem('SNAPSHOT_DAMAGED') }),
    'unknown',
    [],
    /^unknown \(snapshot\.json/,
  ],
  'no readable file': [
    filesWith({ snapshot: problem('FILE_NOT_PERMITTED'), credentials: problem('FILE_NOT_PERMITTED') }),
    'unknown',
    [],
    /^unknown \(/,
  ],
};

describe('the devices on the server after', () => {
  it.each(Object.entries(CASES))('%s', (_name, [files, kind, names, text]) => {
    const held = onServer(files);
    expect([held.kind, held.names]).toEqual([kind, names]);
    expect(held.server).toBe('tb.example:1883');
    expect(onServerText(held)).toMatch(text);
  });

  it('a damaged snapshot are those of thermal_config.json', () => {
    const config = { ...CONFIG, deviceId: 'cam-1', runId: 'run-0' };
    const held = onServer(filesWith({ config, snapshot: problem('SNAPSHOT_DAMAGED') }));
    expect(held).toMatchObject({ kind: 'one device', names: ['cam-1'], server: 'old.example:1883' });
    expect(onServer(filesWith({ config: { ...config, host: null } })).server).toBe('tb.example:1883');
    expect(onServer(filesWith({ config: { ...config, port: null } })).server).toBe('old.example:1883');
  });

  it('an unreadable provision.json have no known server', () => {
    expect(onServer(filesWith({}, { target: problem('PROVISION_JSON_INVALID') })).server).toBeNull();
  });
});
