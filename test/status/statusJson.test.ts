import { describe, expect, it } from 'vitest';
import { statusSchema } from '../../src/status/deviceStatus.ts';
import { makeStatus } from '../../src/status/makeStatus.ts';
import { sortKeys, statusJson } from '../../src/status/statusJson.ts';
import { filesWith, GRANTED, problem, runIn, STORED } from '../support/statusFiles.ts';

const cases = {
  nothing: filesWith(),
  'no folder': filesWith({}, { folder: problem('DEVICE_FOLDER_MISSING') }),
  'an interrupted run': filesWith({ requested: true, snapshot: runIn('request'), credentials: STORED }),
  'a failed run': filesWith({
    snapshot: { ...runIn('failed'), error: { code: 'DISK_FULL', message: 'm', hint: 'h' } },
  }),
  'a provisioned device': filesWith({ snapshot: runIn('provisioned', { granted: GRANTED }) }),
};

const keysOf = (value: unknown): string[] => (typeof value === 'object' && value !== null ? Object.keys(value) : []);

describe('the status as JSON', () => {
  it.each(Object.entries(cases))('of %s has every key, sorted, and fits its schema', (_name, files) => {
    const json: unknown = JSON.parse(statusJson(makeStatus(files)));
    expect(statusSchema.parse(json)).toMatchObject({ format: 'thermal-provision-status', version: 1 });
    expect(keysOf(json)).toEqual(Object.keys(statusSchema.shape).sort());
  });

  it('sorts the keys of every object, and keeps the order of lists', () => {
    const sorted = sortKeys({ b: [{ z: 1, a: 2 }, 'y', 'x'], a: null });
    expect(JSON.stringify(sorted)).toBe('{"a":null,"b":[{"a":2,"z":1},"y","x"]}');
  });

  it('gives each error with code, message, hint and retryable', () => {
    expect(JSON.parse(statusJson(makeStatus(cases['a failed run'])))).toMatchObject({
      status: 'error',
      exitStatus: 1,
      errors: [{ code: 'DISK_FULL', message: 'm', hint: 'h', retryable: false }],
    });
  });
});
