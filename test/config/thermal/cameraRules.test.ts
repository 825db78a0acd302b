import { describe, expect, it } from 'vitest';
import { isJsonObject } from '../../../src/config/json/strictJson.ts';
import { PROXY_EXPECTED } from '../../../src/config/proxy/proxyUrl.ts';
import { cameraProblems, parseLogging, parseThermalConfig } from '../../../src/config/thermal/cameraRules.ts';
import { sameConfig } from '../../../src/config/thermal/clientConfig.ts';
import { freshConfig } from '../../../src/config/thermal/credentialsSections.ts';
import { tokenOf } from '../../support/accessToken.ts';
import { credentials, TOKEN } from '../credentials.ts';
import { everyWordOf, failureOf } from '../scratch.ts';

const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value));
const SPOT = {
  id: 1,
  name: 'Center Spot',
  x: 160,
  y: 120,
  min_temp: 20,
  max_temp: 80,
  noise_factor: 0.1,
  enabled: true,
};

/** The documented file with one value replaced; `undefined` removes the key. */
function configWith(path: string, value: unknown): Buffer {
  const root: unknown = JSON.parse(freshConfig(credentials()).toString());
  const keys = path.split('.');
  const last = String(keys.pop());
  let parent = root;
  for (const key of keys) if (isJsonObject(parent)) parent = parent[key];
  Object.assign(Object(parent), { [last]: value });
  return bytesOf(root);
}
const spotWith = (change: object) => configWith('telemetry.measurement_spots', [{ ...SPOT, ...change }]);
const spots = (count: number) => Array.from({ length: count }, (_, index) => ({ ...SPOT, id: index + 1 }));

describe('the camera accepts', () => {
  it.each<[string, unknown]>([
    ['thingsboard.device_id', 'A-z_9'],
    ['thingsboard.port', 1],
    ['thingsboard.port', 65535],
    ['thingsboard.port', undefined],
    ['thingsboard.keep_alive_seconds', 10],
    ['thingsboard.keep_alive_seconds', 300],
    ['thingsboard.keep_alive_seconds', undefined],
    ['thingsboard.qos_level', 0],
    ['thingsboard.qos_level', 2],
    ['thingsboard.unknown', { a: [null] }],
    ['telemetry.interval_seconds', 1],
    ['telemetry.interval_seconds', 3600],
    ['telemetry.retry_attempts', 0],
    ['telemetry.retry_attempts', 10],
    ['telemetry.retry_delay_ms', 100],
    ['telemetry.retry_delay_ms', 10000],
    ['telemetry.measurement_spots', []],
    ['telemetry.measurement_spots', spots(5)],
    ['telemetry', {}],
    ['logging', undefined],
    ['logging.level', 'debug'],
    ['logging.level', 'warn'],
    ['logging.level', 'error'],
    ['logging.output', 'file'],
    ['logging.output', 'both'],
    ['unknown', null],
  ])('%s %j', (path, value) => {
    expect(cameraProblems(configWith(path, value))).toEqual([]);
  });

  it.each([
    { id: 4_000_000_000 },
    { name: 'a_B-9 c' },
    { x: 0, y: 0 },
    { x: 1.5 },
    { min_temp: -100, max_temp: 500 },
    { noise_factor: 0 },
    { noise_factor: 1 },
    { noise_factor: undefined, enabled: undefined },
  ])('a spot with %j', (change) => {
    expect(cameraProblems(spotWith(change))).toEqual([]);
  });
});

describe('the camera refuses', () => {
  it.each<[string, unknown, string]>([
    ['thingsboard', undefined, 'expected an object'],
    ['thingsboard', [], 'expected an object'],
    ['thingsboard.host', undefined, 'expected a non-empty string'],
    ['thingsboard.host', '', 'expected a non-empty string'],
    ['thingsboard.host', 5, 'expected a non-empty string'],
    ['thingsboard.access_token', '', 'expected a non-empty string'],
    ['thingsboard.access_token', undefined, 'expected a non-empty string'],
    ['thingsboard.device_id', '', 'expected a non-empty string of A-Z, a-z, 0-9, _ and -'],
    ['thingsboard.device_id', 'a b', 'expected a non-empty string of A-Z, a-z, 0-9, _ and -'],
    ['thingsboard.device_id', undefined, 'expected a non-empty string of A-Z, a-z, 0-9, _ and -'],
    ['thingsboard.port', 0, 'expected an integer from 1 to 65535'],
    ['thingsboard.port', 65536, 'expected an integer from 1 to 65535'],
    ['thingsboard.port', 1.5, 'expected an integer from 1 to 65535'],
    ['thingsboard.port', '1883', 'expected an integer from 1 to 65535'],
    ['thingsboard.port', null, 'expected an integer from 1 to 65535'],
    ['thingsboard.use_ssl', 'no', 'expected true or false'],
    ['thingsboard.ca_file', 1, 'expected a string'],
    ['thingsboard.proxy', 'proxy:3128', `expected ${PROXY_EXPECTED}`],
    ['thingsboard.keep_alive_seconds', 9, 'expected an integer from 10 to 300'],
    ['thingsboard.keep_alive_seconds', 301, 'expected an integer from 10 to 300'],
    ['thingsboard.qos_level', -1, 'expected an integer from 0 to 2'],
    ['thingsboard.qos_level', 3, 'expected an integer from 0 to 2'],
    ['telemetry', undefined, 'expected an object'],
    ['telemetry', null, 'expected an object'],
    ['telemetry.interval_seconds', 0, 'expected an integer from 1 to 3600'],
    ['telemetry.interval_seconds', 3601, 'expected an integer from 1 to 3600'],
    ['telemetry.batch_transmission', 0, 'expected true or false'],
    ['telemetry.retry_attempts', -1, 'expected an integer from 0 to 10'],
    ['telemetry.retry_attempts', 11, 'expected an integer from 0 to 10'],
    ['telemetry.retry_delay_ms', 99, 'expected an integer from 100 to 10000'],
    ['telemetry.retry_delay_ms', 10001, 'expected an integer from 100 to 10000'],
    ['telemetry.measurement_spots', {}, 'expected a list'],
    ['telemetry.measurement_spots', spots(6), 'expected at most 5 spots'],
    ['telemetry.measurement_spots', Array.from({ length: 100_000 }, () => 1), 'expected at most 5 spots'],
    ['telemetry.measurement_spots', [SPOT, SPOT], 'expected different ids'],
    ['logging', 'info', 'expected an object'],
    ['logging.level', 'trace', 'expected debug, info, warn or error'],
    ['logging.output', 'syslog', 'expected console, file or both'],
    ['logging.log_file', false, 'expected a string'],
  ])('%s %j', (path, value, expected) => {
    expect(cameraProblems(configWith(path, value))).toEqual([`${path}: ${expected}`]);
  });

  it.each<[object, string]>([
    [{ id: 0 }, 'id: expected an integer above 0'],
    [{ id: 1.5 }, 'id: expected an integer above 0'],
    [{ id: undefined }, 'id: expected an integer above 0'],
    [{ name: '' }, 'name: expected a string of A-Z, a-z, 0-9, space, _ and -'],
    [{ name: 'é' }, 'name: expected a string of A-Z, a-z, 0-9, space, _ and -'],
    [{ name: 'éa' }, 'name: expected a string of A-Z, a-z, 0-9, space, _ and -'],
    [{ name: 'aé' }, 'name: expected a string of A-Z, a-z, 0-9, space, _ and -'],
    [{ x: -1 }, 'x: expected a number of 0 or more'],
    [{ y: -0.5 }, 'y: expected a number of 0 or more'],
    [{ min_temp: -101 }, 'min_temp: expected a number from -100 to 500'],
    [{ max_temp: 501 }, 'max_temp: expected a number from -100 to 500'],
    [{ min_temp: 80 }, 'min_temp: expected less than max_temp'],
    [{ min_temp: '20' }, 'min_temp: expected a number from -100 to 500'],
    [{ noise_factor: -0.1 }, 'noise_factor: expected a number from 0 to 1'],
    [{ noise_factor: 1.1 }, 'noise_factor: expected a number from 0 to 1'],
    [{ enabled: 1 }, 'enabled: expected true or false'],
  ])('a spot with %j', (change, problem) => {
    expect(cameraProblems(spotWith(change))).toEqual([`telemetry.measurement_spots[0].${problem}`]);
  });

  it('with every broken rule at once, and without a value', () => {
    const problems = cameraProblems(
      bytesOf({ thingsboard: { access_token: 7, device_id: TOKEN.repeat(2), port: TOKEN } }),
    );
    expect(problems).toEqual([
      'thingsboard.host: expected a non-empty string',
      'thingsboard.port: expected an integer from 1 to 65535',
      'thingsboard.access_token: expected a non-empty string',
      'telemetry: expected an object',
    ]);
  });

  it.each([
    ['', 'is empty'],
    ['{"a":1,}', 'is not valid JSON: a comma after the last entry at line 1, column 7'],
    ['[]', 'holds a list instead of a JSON object'],
    ['[[', 'is not valid JSON: the file ends before its closing ] ] at line 1, column 3'],
    ['['.repeat(65), 'is nested deeper than 64 levels'],
  ])('the text %j', (text, problem) => {
    expect(cameraProblems(Buffer.from(text))).toEqual([problem]);
  });
});

describe('parseThermalConfig', () => {
  it('reads the documented file', () => {
    const { thingsboard, telemetry, logging } = parseThermalConfig(freshConfig(credentials()));
    expect(tokenOf(thingsboard.login)).toBe(TOKEN);
    expect({ ...thingsboard, login: undefined }).toEqual({
      host: 'tb.example',
      port: 1883,
      login: undefined,
      deviceId: 'thermal-camera-7B3F2A',
      useSsl: false,
      caFile: undefined,
      keepAliveSeconds: 60,
      qosLevel: 1,
    });
    expect(telemetry).toEqual({
      intervalSeconds: 15,
      batchTransmission: false,
      retryAttempts: 3,
      retryDelayMs: 1000,
      measurementSpots: [
        { id: 1, name: 'Center Spot', x: 160, y: 120, minTemp: 20, maxTemp: 80, noiseFactor: 0.1, enabled: true },
      ],
    });
    expect(logging).toEqual({ level: 'info', output: 'console', logFile: 'thermal-mqtt.log' });
  });

  it('fills in the documented values', () => {
    const least = { thingsboard: { host: 'h', access_token: 't', device_id: 'd' }, telemetry: {} };
    const { thingsboard, telemetry, logging } = parseThermalConfig(bytesOf(least));
    expect(thingsboard).toMatchObject({ port: 1883, useSsl: false, keepAliveSeconds: 60, qosLevel: 1 });
    expect(telemetry).toEqual({
      intervalSeconds: 15,
      batchTransmission: false,
      retryAttempts: 3,
      retryDelayMs: 1000,
      measurementSpots: [],
    });
    expect(logging).toEqual({ level: 'info', output: 'console', logFile: 'thermal-mqtt.log' });
  });

  it('fills in the values of a spot and of logging', () => {
    const spot = { id: 2, name: 'Spot', x: 1, y: 2, min_temp: 3, max_temp: 4 };
    const config = {
      thingsboard: { host: 'h', access_token: 't', device_id: 'd', ca_file: 'ca.pem', use_ssl: true },
      telemetry: { measurement_spots: [spot] },
      logging: {},
    };
    const { thingsboard, telemetry, logging } = parseThermalConfig(bytesOf(config));
    expect(thingsboard).toMatchObject({ port: 8883, useSsl: true, caFile: 'ca.pem' });
    expect(telemetry.measurementSpots).toEqual([
      { id: 2, name: 'Spot', x: 1, y: 2, minTemp: 3, maxTemp: 4, noiseFactor: 0, enabled: true },
    ]);
    expect(logging).toEqual({ level: 'info', output: 'console', logFile: 'thermal-mqtt.log' });
  });

  it('reads the proxy, and compares it, though its JSON does not show it', () => {
    const withProxy = (proxy?: string) =>
      parseThermalConfig(
        bytesOf({ thingsboard: { host: 'h', access_token: 't', device_id: 'd', proxy }, telemetry: {} }),
      );
    const one = withProxy('http://user:word@proxy:3128');
    expect(one.thingsboard.proxy).toMatchObject({ scheme: 'http', host: 'proxy', port: 3128 });
    expect(JSON.stringify(one)).not.toContain('word');
    expect(sameConfig(one, withProxy('http://user:word@proxy:3128'))).toBe(true);
    for (const other of [undefined, 'http://user:other@proxy:3128', 'http://user:word@proxy:3129']) {
      expect([sameConfig(one, withProxy(other)), sameConfig(withProxy(other), one)]).toEqual([false, false]);
    }
  });

  it('uses TLS on port 8883 unless use_ssl is false', () => {
    const withServer = (server: object) =>
      parseThermalConfig(
        bytesOf({ thingsboard: { host: 'h', access_token: 't', device_id: 'd', ...server }, telemetry: {} }),
      ).thingsboard;
    expect(withServer({ port: 8883 }).useSsl).toBe(true);
    expect(withServer({ port: 8883, use_ssl: false }).useSsl).toBe(false);
  });

  it.each([
    [
      { run_id: 'run-1', provisioned_at: '2026' },
      { runId: 'run-1', provisionedAt: '2026' },
    ],
    [{ run_id: '', provisioned_at: '2026' }, undefined],
    [{ run_id: 'r'.repeat(65), provisioned_at: '2026' }, undefined],
    [{ run_id: 'run-1', provisioned_at: '2'.repeat(65) }, undefined],
    [{}, undefined],
    [undefined, undefined],
  ])('reads the run that wrote the file, and ignores a section that holds none: %j', (section, expected) => {
    const bytes = configWith('provisioning', section);
    expect(cameraProblems(bytes)).toEqual([]);
    expect(parseThermalConfig(bytes).provisioning).toEqual(expected);
  });

  it('reports every broken rule, and no secret', async () => {
    const failure = await failureOf(() =>
      parseThermalConfig(bytesOf({ thingsboard: { host: TOKEN, access_token: TOKEN, port: TOKEN, device_id: TOKEN } })),
    );
    expect(failure.code).toBe('CONFIG_INVALID');
    expect(failure.message).toBe(
      'The camera could not load thermal_config.json:\n' +
        '- thingsboard.port: expected an integer from 1 to 65535\n- telemetry: expected an object',
    );
    expect(everyWordOf(failure)).not.toContain(TOKEN);
  });
});

describe('the section logging alone', () => {
  const DEFAULTS = { level: 'info', output: 'console', logFile: 'thermal-mqtt.log' };
  it.each([
    ['of a file that the camera could not load', '{"logging":{"output":"file"}}', { ...DEFAULTS, output: 'file' }],
    ['that is absent gets the defaults', '{}', DEFAULTS],
    ['with a value of no meaning', '{"logging":{"output":"syslog"}}', undefined],
    ['of a file that is not JSON', '{', undefined],
  ])('%s', (_what, text, expected) => {
    expect(parseLogging(Buffer.from(text))).toEqual(expected);
  });
});
