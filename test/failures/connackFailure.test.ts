import { describe, expect, it } from 'vitest';
import { connackFailure, notThingsBoard } from '../../src/failures/connackFailure.ts';

const server = { host: 'tb.test', port: 1883, useSsl: false };

describe('connackFailure', () => {
  it.each([
    [1, 'NOT_THINGSBOARD', 'it does not speak MQTT 3.1.1'],
    [2, 'CONNECTION_NOT_ACCEPTED', 'it rejects the client identifier'],
    [3, 'SERVER_UNAVAILABLE', 'it is not available'],
    [4, 'CONNECTION_NOT_ACCEPTED', 'it rejects user name or password'],
    [5, 'CONNECTION_NOT_ACCEPTED', 'it does not authorise this connection'],
    [6, 'CONNECTION_NOT_ACCEPTED', 'for a reason that MQTT 3.1.1 does not know'],
    [255, 'CONNECTION_NOT_ACCEPTED', 'for a reason that MQTT 3.1.1 does not know'],
  ])('means by %i %s', (returnCode, code, meaning) => {
    const failure = connackFailure(returnCode, server);
    expect(failure.code).toBe(code);
    expect(failure.message).toBe(`tb.test:1883 refused the connection: ${meaning} (CONNACK ${returnCode})`);
  });
});

describe('notThingsBoard', () => {
  it('names the server', () => {
    expect(notThingsBoard(server)).toMatchObject({ code: 'NOT_THINGSBOARD', retryable: true });
    expect(notThingsBoard(server).message).toContain('tb.test:1883');
  });
});
