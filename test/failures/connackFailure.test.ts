import { describe, expect, it } from 'vitest';
import { connackFailure } from '../../src/failures/connackFailure.ts';
import { operationServer, provisioningServer } from '../../src/failures/serverFacts.ts';

const address = { host: 'tb.test', port: 1883 };

describe('connackFailure', () => {
  it.each([
    [1, 'NOT_THINGSBOARD', 'NOT_THINGSBOARD', 'it does not speak MQTT 3.1.1'],
    [2, 'CONNECTION_NOT_ACCEPTED', 'CONNECTION_NOT_ACCEPTED', 'it rejects the client identifier'],
    [3, 'SERVER_UNAVAILABLE', 'SERVER_UNAVAILABLE', 'it is not available'],
    [4, 'CONNECTION_NOT_ACCEPTED', 'CREDENTIALS_REFUSED', 'it rejects user name or password'],
    [5, 'CONNECTION_NOT_ACCEPTED', 'CREDENTIALS_REFUSED', 'it does not authorise this connection'],
    [6, 'CONNECTION_NOT_ACCEPTED', 'CONNECTION_NOT_ACCEPTED', 'MQTT 3.1.1 does not define this code'],
    [255, 'CONNECTION_NOT_ACCEPTED', 'CONNECTION_NOT_ACCEPTED', 'MQTT 3.1.1 does not define this code'],
  ])('means by %i %s for a request, and %s for a device', (returnCode, forRequest, forDevice, meaning) => {
    const request = connackFailure(returnCode, provisioningServer(address), 'provision');
    const device = connackFailure(returnCode, provisioningServer(address), 'device');
    const operation = connackFailure(returnCode, operationServer(address), 'device');
    expect([request.code, device.code, operation.code]).toEqual([forRequest, forDevice, forDevice]);
    for (const { message } of [request, device, operation]) {
      expect(message).toBe(`tb.test:1883 refused the connection: ${meaning} (CONNACK ${returnCode})`);
    }
  });

  it('names the file to check', () => {
    expect(connackFailure(1, provisioningServer(address), 'provision').hint).toContain('in provision.json');
    expect(connackFailure(1, operationServer(address), 'device').hint).toContain('in thermal_config.json');
  });
});
