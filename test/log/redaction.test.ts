/** A Secret can't be printed by the log, or by a program that uses the library. */

import { format, inspect } from 'node:util';
import { serialize } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure, toFailureRecord } from '../../src/failures/failure.ts';
import { formatJson, formatText } from '../../src/log/format.ts';
import { createLog, type LogRecord } from '../../src/log/log.ts';
import { Secret } from '../../src/secret.ts';

const VALUE = 'sLzc0gDAZPkGMzFVTyUY';
const SECRET = new Secret(VALUE);

const waysToPrint: ReadonlyArray<readonly [string, (value: unknown) => string]> = [
  ['String', (value) => String(value)],
  ['a template', (value) => `${value}`],
  ['JSON', (value) => JSON.stringify({ value, list: [value], deep: { value } })],
  ['inspect', (value) => inspect({ value, list: [value] }, { depth: null, showHidden: true, getters: true })],
  ['inspect without the custom method', (value) => inspect(value, { customInspect: false, showHidden: true })],
  ['the formats of console', (value) => format('%s %o %O %j', value, value, value, value)],
  ['a spread', (value) => JSON.stringify({ ...Object(value) })],
  [
    'its entries',
    (value) => JSON.stringify([Object.entries(Object(value)), Object.getOwnPropertyNames(Object(value))]),
  ],
  ['a structured clone', (value) => inspect(structuredClone(value))],
  ['the serialisation of V8', (value) => serialize(value).toString('latin1')],
  ['the message of an error', (value) => String(new Error(`wrong: ${value}`).stack)],
  ['the cause of an error', (value) => inspect(new Error('wrong', { cause: value }))],
];

describe('a Secret', () => {
  it.each(waysToPrint)('does not show in %s', (_way, print) => {
    expect(print(SECRET)).not.toContain(VALUE);
  });

  it.each(waysToPrint.slice(0, 4))('shows as [secret] in %s', (_way, print) => {
    expect(print(SECRET)).toContain('[secret]');
  });

  it('does not show in the record of a failure, as message or as cause', () => {
    const failure = new Failure(
      'INTERNAL',
      'unexpected',
      { what: `token ${SECRET}` },
      new Error(`inner ${SECRET}`, { cause: SECRET }),
    );
    expect(JSON.stringify(toFailureRecord(failure))).not.toContain(VALUE);
    expect(inspect(failure, { depth: null })).not.toContain(VALUE);
  });

  it('has a fingerprint that contains no part of it and depends on the value alone', () => {
    expect(SECRET.fingerprint()).toMatch(/^[0-9a-f]{8}$/);
    expect(new Secret(VALUE).fingerprint()).toBe(SECRET.fingerprint());
    expect(new Secret(`${VALUE}x`).fingerprint()).not.toBe(SECRET.fingerprint());
    expect(SECRET.equals(new Secret(VALUE))).toBe(true);
    expect(SECRET.equals(new Secret('another'))).toBe(false);
  });
});

describe('a log line', () => {
  const clock = { now: () => 0, monotonic: () => 0 };
  const position = { runId: null, state: null, attempt: null };

  it('with a Secret as a detail does not compile, and would print [secret]', () => {
    const records: LogRecord[] = [];
    const log = createLog((record) => records.push(record), clock, position);
    // @ts-expect-error a Secret is not a detail
    log.info('candidate.drawn', `with ${SECRET}`, { deviceName: 'cam', token: SECRET });
    for (const record of records) {
      expect(formatText(record)).toContain('with [secret] (candidate.drawn deviceName="cam" token="[secret]")');
      expect(formatJson(record)).toContain('"message":"with [secret]","deviceName":"cam","token":"[secret]"');
    }
    expect(records).toHaveLength(1);
  });

  it('does not show a Secret at any depth', () => {
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.constant(SECRET),
        fc.string({ maxLength: 5 }),
        fc.array(tie('node'), { maxLength: 4 }),
        fc.dictionary(fc.string({ maxLength: 5 }), tie('node'), { maxKeys: 4 }),
      ),
    })).node;
    fc.assert(
      fc.property(tree, (value) => {
        expect(JSON.stringify({ value })).not.toContain(VALUE);
        expect(inspect(value, { depth: null, showHidden: true })).not.toContain(VALUE);
      }),
    );
  });
});
