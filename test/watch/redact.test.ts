import type { StatelyInspectionEvent } from '@statelyai/inspect';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/secret.ts';
import { onlyAllowed, WITHHELD } from '../../src/watch/allowList.ts';
import { createRedaction } from '../../src/watch/redact.ts';

const SECRET = 'tok3n-that-nobody-may-see';

const base = { rootId: 'x:0', createdAt: '1', id: '', _version: '0.7.2' };

const actor = (sessionId: string, name: string, snapshot: object = {}): StatelyInspectionEvent => ({
  ...base,
  type: '@xstate.actor',
  name,
  sessionId,
  parentId: undefined,
  definition: JSON.stringify({ id: name, secret: SECRET }),
  snapshot,
});

const event = (sessionId: string, fields: { type: string; [key: string]: unknown }): StatelyInspectionEvent => ({
  ...base,
  type: '@xstate.event',
  sessionId,
  sourceId: undefined,
  event: fields,
});

/** A value with a secret in every field. */
const withSecrets = (fields: object): object => ({ ...fields, token: SECRET, deep: { token: SECRET }, list: [SECRET] });

describe('the allow-list', () => {
  it('copies the fields that it names, and no other', () => {
    const list = { a: true, b: { c: true }, d: [{ e: true }] } as const;
    const value = { a: 1, b: { c: 'x', token: SECRET }, d: [{ e: false, token: SECRET }], token: SECRET };
    expect(onlyAllowed(list, value)).toEqual({ a: 1, b: { c: 'x' }, d: [{ e: false }] });
  });

  it('withholds a value of another type than declared', () => {
    expect(onlyAllowed(true, { token: SECRET })).toBe(WITHHELD);
    expect(onlyAllowed(true, [SECRET])).toBe(WITHHELD);
    expect(onlyAllowed(true, new Secret(SECRET))).toBe(WITHHELD);
    expect(onlyAllowed([true], SECRET)).toBe(WITHHELD);
    expect(onlyAllowed({ a: true }, SECRET)).toBe(WITHHELD);
  });

  it('keeps null and leaves out what is undefined', () => {
    expect(onlyAllowed({ a: true, b: { c: true }, d: true }, { a: null, b: null })).toEqual({ a: null, b: null });
  });

  it('limits texts and lists', () => {
    expect(onlyAllowed(true, 'x'.repeat(10_000))).toHaveLength(4000);
    expect(
      onlyAllowed(
        [true],
        Array.from({ length: 1000 }, () => 1),
      ),
    ).toHaveLength(100);
  });
});

describe('an inspector', () => {
  it.each(['provision', 'telemetry', 'request', '0.telemetry.publishing.sending', 'unknown'])(
    'sees no undeclared part of an actor named %s',
    (name) => {
      const redact = createRedaction();
      const shown = [
        actor('x:1', name, {
          status: 'active',
          value: 'request',
          context: withSecrets({ runId: 'r' }),
          input: withSecrets({ runId: 'r' }),
          output: withSecrets({ outcome: 'granted', grant: withSecrets({ deviceName: 'd' }) }),
          error: withSecrets({ failure: withSecrets({ code: 'C' }) }),
        }),
        event('x:1', { type: 'xstate.init', input: withSecrets({ runId: 'r' }) }),
        event('x:1', { type: 'xstate.promise.resolve', data: withSecrets({ outcome: 'granted' }) }),
        event('x:1', { type: 'xstate.promise.reject', data: withSecrets({ failure: withSecrets({ code: 'C' }) }) }),
        event('x:1', {
          type: `xstate.done.actor.request`,
          output: withSecrets({ outcome: 'granted' }),
          actorId: 'request',
        }),
        event('x:1', { type: `xstate.error.actor.request`, error: withSecrets({ at: 1 }), actorId: 'request' }),
        event('x:1', { type: 'RESUME', ...withSecrets({ at: 1 }) }),
        event('x:1', { type: SECRET }),
        event('never seen', { type: 'xstate.init', input: SECRET }),
      ].map(redact);
      expect(JSON.stringify(shown)).not.toContain(SECRET);
    },
  );

  it('sees the declared parts', () => {
    const redact = createRedaction();
    redact(actor('x:1', 'request'));
    const issued = { deviceName: 'd', fingerprint: 'f', successSeen: true };
    expect(redact(event('x:1', { type: 'xstate.init', input: { runId: 'r', token: SECRET } }))).toMatchObject({
      event: { type: 'xstate.init', input: { runId: 'r' } },
    });
    expect(redact(event('x:0', { type: 'xstate.done.actor.request', output: { at: 1, issued } }))).toMatchObject({
      event: { output: { at: 1, issued } },
    });
    const failure = { code: 'CONNECTION_LOST', message: 'gone', hint: 'look', retryable: true };
    expect(redact(event('x:1', { type: 'xstate.promise.reject', data: { failure, at: 2 } }))).toMatchObject({
      event: { data: { failure, at: 2 } },
    });
    expect(redact(event('x:0', { type: 'RESUME', at: 3, settingsDigest: 'dig', trigger: null }))).toMatchObject({
      event: { type: 'RESUME', at: 3, settingsDigest: 'dig', trigger: null },
    });
  });

  it('gets the definition of the chart from its source, not from the event', () => {
    const shown = createRedaction()(actor('x:1', 'provision'));
    const definition: unknown = JSON.parse('definition' in shown ? shown.definition : '{}');
    expect(definition).toMatchObject({ id: 'provision', initial: 'detect', states: { request: { invoke: {} } } });
  });

  it('still knows the chart after a thousand actors', () => {
    const redact = createRedaction();
    redact(actor('x:0', 'telemetry'));
    for (let n = 1; n <= 1000; n += 1) redact(actor(`x:${n}`, '0.telemetry.publishing.sending'));
    const shown = redact({
      ...base,
      type: '@xstate.snapshot',
      sessionId: 'x:0',
      event: { type: 'xstate.after.restOfInterval.telemetry.publishing.pausing' },
      // The fields that xstate gives a snapshot of a machine.
      snapshot: {
        status: 'active',
        output: undefined,
        error: undefined,
        ...{ value: { publishing: 'sending' }, context: { messages: 7 } },
      },
    });
    expect(shown).toMatchObject({ snapshot: { value: { publishing: 'sending' }, context: { messages: 7 } } });
  });
});
