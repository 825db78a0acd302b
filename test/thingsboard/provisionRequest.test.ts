import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/secret.ts';
import { provisionRequestPayload } from '../../src/thingsboard/provisionRequest.ts';
import { accessToken } from '../support/accessToken.ts';

const REQUEST = {
  deviceKey: new Secret('key'),
  deviceSecret: new Secret('se"cret'),
  deviceName: 'thermal-camera-00A1F3',
  credentials: accessToken('token'),
};

describe('provisionRequestPayload', () => {
  it('says that the device is a gateway, if it is one', () => {
    expect(JSON.parse(provisionRequestPayload({ ...REQUEST, gateway: true }))).toMatchObject({ gateway: true });
  });

  it('contains exactly the fields that ThingsBoard reads, and no null', () => {
    const payload = provisionRequestPayload(REQUEST);
    expect(JSON.parse(payload)).toEqual({
      provisionDeviceKey: 'key',
      provisionDeviceSecret: 'se"cret',
      deviceName: 'thermal-camera-00A1F3',
      credentialsType: 'ACCESS_TOKEN',
      token: 'token',
    });
  });
});
