import { describe, expect, it } from 'vitest';
import { cameraProblems } from '../../../src/config/thermal/cameraRules.ts';
import { carriesCredentials, freshConfig, isDevice } from '../../../src/config/thermal/credentialsSections.ts';
import { accessToken } from '../../support/accessToken.ts';
import { credentials, TOKEN } from '../credentials.ts';

describe('freshConfig', () => {
  it('has exactly the documented values, in their order', () => {
    expect(freshConfig(credentials({ backup: null })).toString()).toBe(`{
  "thingsboard": {
    "host": "tb.example",
    "port": 1883,
    "access_token": "${TOKEN}",
    "device_id": "thermal-camera-7B3F2A",
    "use_ssl": false,
    "keep_alive_seconds": 60,
    "qos_level": 1
  },
  "telemetry": {
    "interval_seconds": 15,
    "batch_transmission": false,
    "retry_attempts": 3,
    "retry_delay_ms": 1000,
    "measurement_spots": [
      {
        "id": 1,
        "name": "Center Spot",
        "x": 160,
        "y": 120,
        "min_temp": 20,
        "max_temp": 80,
        "noise_factor": 0.1,
        "enabled": true
      }
    ]
  },
  "logging": {
    "level": "info",
    "output": "console",
    "log_file": "thermal-mqtt.log"
  },
  "provisioning": {
    "provisioned_at": "2026-11-23T10:15:30.123Z",
    "provisioned_by": "thermal-provision",
    "run_id": "run-1",
    "backup": null
  }
}
`);
  });

  it('names the CA file if one is used', () => {
    const { thingsboard } = JSON.parse(freshConfig(credentials({ useSsl: true, caFile: 'ca.pem' })).toString());
    expect(thingsboard).toMatchObject({ use_ssl: true, ca_file: 'ca.pem' });
  });

  it('can be loaded by the camera and has the credentials', () => {
    expect(cameraProblems(freshConfig(credentials()))).toEqual([]);
    expect(carriesCredentials(freshConfig(credentials()), credentials())).toBe(true);
  });
});

describe('isDevice', () => {
  const config = freshConfig(credentials());
  const { deviceId, login } = credentials();

  it('needs device id and token, and ignores the server', () => {
    expect(isDevice(freshConfig(credentials({ host: 'other.example' })), deviceId, login)).toBe(true);
    expect(isDevice(config, 'another-device', login)).toBe(false);
    expect(isDevice(config, deviceId, accessToken('another token'))).toBe(false);
  });

  it.each(['', '{}', '{"thingsboard":[]}'])('is false for %j', (text) => {
    expect(isDevice(Buffer.from(text), deviceId, login)).toBe(false);
  });
});

describe('carriesCredentials', () => {
  const config = freshConfig(credentials({ useSsl: true, caFile: 'ca.pem' }));

  it('ignores the time and the run of the provisioning', () => {
    const later = credentials({ useSsl: true, caFile: 'ca.pem', provisionedAt: 'later', runId: 'run-2', backup: null });
    expect(carriesCredentials(config, later)).toBe(true);
    expect(carriesCredentials(config, credentials({ useSsl: true }))).toBe(true);
  });

  it.each([
    { host: 'other.example' },
    { port: 1884 },
    { useSsl: false },
    { login: accessToken('other') },
    { deviceId: 'other' },
    { caFile: 'other.pem' },
  ])('is false when %j differs', (change) => {
    expect(carriesCredentials(config, credentials({ useSsl: true, caFile: 'ca.pem', ...change }))).toBe(false);
  });

  it.each(['', '{', '[]', '{}', '{"thingsboard":[]}', '{"thingsboard":null}'])('is false for %j', (text) => {
    expect(carriesCredentials(Buffer.from(text), credentials())).toBe(false);
  });
});

describe('isDevice', () => {
  const written = freshConfig(credentials());

  it('needs both the name and the token', () => {
    const { deviceId, login } = credentials();
    expect(isDevice(written, deviceId, login)).toBe(true);
    expect(isDevice(written, 'another-device', login)).toBe(false);
    expect(isDevice(written, deviceId, accessToken('another-token'))).toBe(false);
  });

  it('does not find a device in a file that the camera could not read', () => {
    expect(isDevice(Buffer.from('{'), 'cam', accessToken('t'))).toBe(false);
  });
});
