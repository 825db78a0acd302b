/** Scenarios that reach every state and transition of the chart by realistic faults of servers, disks and people. */

import { chmod, rm, writeFile } from 'node:fs/promises';
import type { Fault } from '../../../../src/simulator/faults.ts';
import { OLD_CONFIG, putTrigger } from '../../../support/deviceFiles.ts';
import type { Intrusion } from '../../../support/intrusion.ts';
import type { LinePattern } from './steering.ts';
import { editContext, type Start, type World, type WorldOptions } from './world.ts';

export interface Scenario extends WorldOptions {
  readonly name: string;
  /** Earlier starts, and changes after them. */
  readonly before?: (world: World) => Promise<unknown>;
  /** The start that is recorded and then killed at every point. */
  readonly start?: (world: World) => Start;
  /** Whether the card is lost after the kill. */
  readonly cardLost?: true;
  /** Removes the cause of a failure, so that the next start must succeed. */
  readonly afterwards?: (world: World) => Promise<unknown>;
  /** Problems that the scenario's people cause, not the agent. */
  readonly tolerated?: RegExp;
}

/** A complete configuration that the agent has neither written nor backed up. */
const otherConfig = (number: number): string =>
  OLD_CONFIG.replace('"interval_seconds": 15', `"interval_seconds": 2${number}`);
const OTHER_CONFIGS = [1, 2, 3].map(otherConfig);

const KILLED_IN = (state: string): Start => ({ kill: { at: 'held', where: { event: 'state.entered', state } } });
const entering = (state: string, nth = 1): LinePattern => ({ event: 'state.entered', state, nth });

const lostAnswer: Fault = { on: 'request', nth: 1, action: 'dropAnswerAndClose' };
const lostRequest: Fault = { on: 'request', nth: 1, action: 'close' };
const closedDevice: Fault = { on: 'deviceConnect', nth: 1, action: 'close' };
const refusedDevice = (nth: number): Fault => ({ on: 'deviceConnect', nth, action: 'refuse', code: 5 });
const noRetries = { max_retries: 0 };

const changeSettings =
  (where: LinePattern) =>
  ({ paths, otherSettings }: World): Start => ({
    acts: [{ where, act: { do: 'write', path: paths.provisionJson, text: otherSettings } }],
  });
const makeReadOnly =
  (event: string) =>
  ({ paths }: World): Start => ({
    acts: [{ where: { event }, act: { do: 'setMode', path: paths.thermalConfig, mode: 0o444 } }],
  });
const makeWritable = ({ paths }: World): Promise<void> => chmod(paths.thermalConfig, 0o644);
const writesOtherConfig =
  (times: number) =>
  ({ paths }: World): Start => ({
    acts: OTHER_CONFIGS.slice(0, times).map((text, index) => ({
      where: entering('write', index + 1),
      act: { do: 'write', path: paths.thermalConfig, text },
    })),
  });
/** The restore's open of the backup: the backup is opened twice before it exists, and once before the write. */
const READ_TO_RESTORE = { call: 'open', path: 'Z', nth: 4, act: { do: 'fail', errno: 'EIO' } } as const;
/** Another program overwrites the new file before the agent verifies it. */
const overwrites =
  (text: string, ...more: readonly Intrusion[]) =>
  ({ paths }: World): Start => ({
    intrusions: [
      {
        call: 'rename',
        path: 'thermal_config.json',
        after: true,
        act: { do: 'write', path: paths.thermalConfig, text },
      },
      ...more,
    ],
  });
const GARBAGE = '{ "thingsboard": ';

const succeeding: readonly Scenario[] = [
  { name: 'no fault' },
  { name: 'no fault, on a fresh device', fresh: true },
  {
    name: 'the connection for the request fails once',
    server: { faults: [{ on: 'provisionConnect', nth: 1, action: 'close' }] },
  },
  { name: 'the answer is lost', server: { faults: [lostAnswer] } },
  { name: 'the answer is lost, and the probe fails once', server: { faults: [lostAnswer, closedDevice] } },
  { name: 'the request is lost', server: { faults: [lostRequest] } },
  { name: 'the new credentials are refused once', server: { faults: [refusedDevice(1)] } },
  { name: 'the verification fails once', server: { faults: [closedDevice] } },
  {
    name: 'the configuration changes right after the write',
    otherConfigs: OTHER_CONFIGS,
    start: overwrites(otherConfig(1)),
  },
  { name: 'the configuration changes once', otherConfigs: OTHER_CONFIGS, start: writesOtherConfig(1) },
  {
    name: 'an earlier run failed with a lost request',
    server: { faults: [lostRequest] },
    provisioning: noRetries,
    before: (world) => world.start(),
  },
];

const failing: readonly Scenario[] = [
  {
    name: "the folder can't be read",
    start: () => ({ intrusions: [{ call: 'stat', path: 'provision.txt', nth: 2, act: { do: 'fail', errno: 'EIO' } }] }),
  },
  {
    name: 'provision.json is invalid',
    before: ({ paths }) => writeFile(paths.provisionJson, '{}'),
    afterwards: (world) => world.writeProvisionJson(),
  },
  {
    name: 'provision.json is removed after its validation',
    start: ({ paths }) => ({
      acts: [{ where: { event: 'validate.passed' }, act: { do: 'remove', path: paths.provisionJson } }],
    }),
    afterwards: (world) => world.writeProvisionJson(),
  },
  {
    name: 'the key is wrong',
    provisioning: { device_key: 'a-wrong-key' },
    afterwards: (world) => world.writeProvisionJson(undefined, {}),
  },
  {
    name: 'the tenant is full',
    server: { deviceLimit: 1, devices: [{ name: 'another' }] },
    afterwards: async ({ server }) => server.registry.deleteDevice('another'),
  },
  {
    name: 'the fixed name is taken',
    server: { devices: [{ name: 'hall-7' }] },
    device: { name: 'hall-7' },
    afterwards: async ({ server }) => server.registry.deleteDevice('hall-7'),
  },
  { name: 'the request is lost, without retries', server: { faults: [lostRequest] }, provisioning: noRetries },
  {
    name: 'answer and probe are lost, without retries',
    server: { faults: [lostAnswer, closedDevice] },
    provisioning: noRetries,
  },
  {
    name: 'the new credentials are refused',
    server: { faults: [refusedDevice(1), refusedDevice(2), refusedDevice(3)] },
  },
  { name: 'the verification is lost, without retries', server: { faults: [closedDevice] }, provisioning: noRetries },
  {
    name: 'the configuration is read-only at the backup',
    start: makeReadOnly('verify.proven'),
    afterwards: makeWritable,
  },
  { name: 'the configuration is read-only at the write', start: makeReadOnly('backup.made'), afterwards: makeWritable },
  { name: 'the configuration keeps changing', otherConfigs: OTHER_CONFIGS, start: writesOtherConfig(3) },
  { name: 'the written file is damaged', otherConfigs: [GARBAGE], start: overwrites(GARBAGE) },
  {
    name: "the written file is damaged, and the backup can't be read",
    otherConfigs: [GARBAGE],
    start: overwrites(GARBAGE, READ_TO_RESTORE),
  },
  {
    name: "provision.txt can't be renamed",
    start: () => ({
      intrusions: [{ call: 'rename', path: 'provision.txt.processed', act: { do: 'fail', errno: 'EIO' } }],
    }),
  },
  {
    name: 'the server never answers a connection',
    server: { faults: [{ on: 'provisionConnect', nth: 1, action: 'stallConnack' }] },
    provisioning: { timeout_seconds: 300 },
    start: () => ({ runLimitMs: 1500 }),
  },
  {
    name: 'the run was interrupted twenty times',
    before: async (world) => {
      await world.start(KILLED_IN('request'));
      await editContext(world, { resumes: 20 });
    },
  },
];

const requestRemoved = /^(provision\.txt is gone, but|neither provision\.txt nor credentials\.json is there)/;

const changing: readonly Scenario[] = [
  { name: 'other settings before the name is generated', start: changeSettings({ event: 'validate.passed' }) },
  { name: 'other settings before the request', start: changeSettings({ event: 'candidate.drawn' }) },
  {
    name: 'other settings before the second request',
    server: { faults: [lostRequest] },
    start: changeSettings({ event: 'backoff.waiting' }),
  },
  {
    name: 'other settings before the second name',
    server: { deviceLimit: 1, devices: [{ name: 'another' }] },
    start: changeSettings({ event: 'reconcile.refused', nth: 4 }),
    afterwards: async ({ server }) => server.registry.deleteDevice('another'),
  },
  {
    name: 'other settings before the probe',
    server: { faults: [lostAnswer] },
    start: changeSettings({ event: 'request.unknown' }),
    maxDevices: 2,
  },
  {
    name: 'other settings before the verification',
    start: changeSettings({ event: 'request.granted' }),
    maxDevices: 2,
  },
  {
    name: 'other settings while the device was off, with no request sent',
    before: async (world) => {
      await world.start(KILLED_IN('prepare'));
      await writeFile(world.paths.provisionJson, world.otherSettings);
    },
  },
  {
    name: 'other settings while the device was off, with credentials issued',
    before: async (world) => {
      await world.start(KILLED_IN('verifyCredentials'));
      await writeFile(world.paths.provisionJson, world.otherSettings);
    },
    maxDevices: 2,
  },
  {
    name: 'provision.txt is removed at the start',
    start: ({ paths }) => ({
      acts: [{ where: { event: 'run.started' }, act: { do: 'remove', path: paths.provisionTxt } }],
    }),
    afterwards: ({ paths }) => putTrigger(paths),
    tolerated: requestRemoved,
  },
  {
    name: 'provision.txt is removed while the device was off',
    before: async (world) => {
      await world.start(KILLED_IN('verifyCredentials'));
      await rm(world.paths.provisionTxt);
    },
    afterwards: ({ paths }) => putTrigger(paths),
    tolerated: requestRemoved,
  },
];

/** Only the kills in the states: the moments between them are those of an access token. */
const otherKinds: readonly Scenario[] = [
  { name: 'MQTT_BASIC', kind: 'MQTT_BASIC' },
  { name: 'X.509', kind: 'X.509' },
  { name: 'X.509, the answer is lost', kind: 'X.509', server: { faults: [lostAnswer] } },
  { name: 'derived token', kind: 'derived token' },
  { name: 'derived token, card lost', kind: 'derived token', cardLost: true },
  {
    name: 'derived token, card and answer lost',
    kind: 'derived token',
    cardLost: true,
    server: { faults: [lostAnswer] },
  },
];

export const SCENARIOS: readonly Scenario[] = [...succeeding, ...failing, ...changing, ...otherKinds];

/** The scenario, interrupted in a state. The recorded start is the one that resumes there. */
export const resumedIn = (scenario: Scenario, { state, nth }: { state: string; nth: number }): Scenario => ({
  ...scenario,
  name: `resumed in ${state}: ${scenario.name}`,
  before: async (world) => {
    await scenario.before?.(world);
    const event = state === 'backoff' ? 'backoff.waiting' : 'state.entered';
    await world.start({ ...scenario.start?.(world), kill: { at: 'held', where: { event, state, nth } } });
  },
  start: () => ({}),
});
