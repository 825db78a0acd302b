import { expect, it } from 'vitest';
import { fleetOptions, UsageError } from '../../../bench/fleet/options.ts';

const KEY = { BENCH_DEVICE_KEY: 'key', BENCH_DEVICE_SECRET: 'secret' };

it('takes several sizes for a curve, and starts a device once', () => {
  expect(fleetOptions(['--devices', '100,1000'], {})).toMatchObject({
    devices: [100, 1000],
    concurrency: 200,
    boots: 1,
    server: undefined,
  });
});

it('starts a device three times where there are faults', () => {
  expect(fleetOptions(['--faults', '7'], {})).toMatchObject({ faults: '7', boots: 3 });
});

it('takes key and secret of a given server from the environment, where no process list shows them', () => {
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
  ['faults in a server that is none of ours', ['--faults', '1', '--host', 'tb.example']],
])('refuses %s', (_what, args) => {
  expect(() => fleetOptions(args, {})).toThrow(UsageError);
});
