import { expect, it } from 'vitest';
import { fleetOptions, UsageError } from '../../../bench/fleet/options.ts';

const KEY = { BENCH_DEVICE_KEY: 'key', BENCH_DEVICE_SECRET: 'secret' };

it('accepts several sizes, and starts a device once by default', () => {
  expect(fleetOptions(['--devices', '100,1000'], {})).toMatchObject({
    devices: [100, 1000],
    concurrency: 200,
    boots: 1,
    server: undefined,
  });
});

it('starts a device up to three times with faults', () => {
  expect(fleetOptions(['--faults', '7'], {})).toMatchObject({ faults: '7', boots: 3 });
});

it('reads key and secret of a given server from the environment, which process lists do not show', () => {
  expect(fleetOptions(['--host', 'tb.example', '--tls'], KEY).server).toEqual({
    host: 'tb.example',
    port: 8883,
    useSsl: true,
    caFile: undefined,
    deviceKey: 'key',
    deviceSecret: 'secret',
  });
});

it.each([
  ['no number', ['--devices', 'many']],
  ['no device', ['--devices', '0']],
  ['an unknown option', ['--fleet']],
  ['a server without its key', ['--host', 'tb.example']],
  ['a port without a server', ['--port', '1883']],
  ['faults without the simulator', ['--faults', '1', '--host', 'tb.example']],
])('refuses %s', (_what, args) => {
  expect(() => fleetOptions(args, {})).toThrow(UsageError);
});
