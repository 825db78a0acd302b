/** Successful runs, with everything that they print or show. */

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LOG_FORMATS } from '../../../../src/log/format.ts';
import { LOG_LEVELS } from '../../../../src/log/levels.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../../../support/server.ts';
import { runArguments, type SceneOptions } from './scene.ts';
import { type Expected, type SecretTrial, textOfAll } from './secretTrial.ts';

const DONE: Expected = { status: 0, code: null };

/** A success in every log format and at every level. */
const loggedTrials = LOG_FORMATS.flatMap((format) =>
  LOG_LEVELS.map(
    (level): SecretTrial => ({
      name: `logged as ${format} at level ${level}`,
      start: ({ paths }) => ({ args: runArguments(paths, format, level) }),
      expected: DONE,
    }),
  ),
);

/** Every kind of credentials, with all log lines; also when the answer is lost. */
const kindTrials = (['MQTT_BASIC', 'X.509', 'derived token'] as const).flatMap((kind) =>
  LOG_FORMATS.flatMap((format): SecretTrial[] => [
    {
      name: `${kind}, logged as ${format} at level debug`,
      scene: { kind },
      start: ({ paths }) => ({ args: runArguments(paths, format, 'debug') }),
      expected: DONE,
    },
    {
      name: `${kind}, logged as ${format}, a lost answer`,
      scene: {
        kind,
        server: { faults: [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }] },
        provisioning: { max_retries: 2 },
      },
      start: ({ paths }) => ({ args: runArguments(paths, format, 'debug') }),
      expected: DONE,
    },
  ]),
);

const SLOW: SceneOptions = { server: { faults: [{ on: 'request', action: 'delay', ms: 1500 }] } };

async function untilThere(path: string, isThere: (names: readonly string[]) => boolean): Promise<void> {
  for (let looks = 0; looks < 200; looks += 1) {
    if (isThere(await readdir(path).catch(() => []))) return;
    await delay(50);
  }
  throw new Error(`the expected file did not appear in ${path}`);
}

const reportTrial: SecretTrial = {
  name: 'the diagnostic report that SIGUSR2 triggers during the request',
  scene: SLOW,
  start: (_scene, folder) => ({ nodeOptions: ['--report-on-signal', '--report-directory', join(folder, 'report')] }),
  async meanwhile({ paths }, agent, folder) {
    const report = join(folder, 'report');
    await mkdir(report);
    await untilThere(paths.stateFolder, (names) => names.includes('credentials.json'));
    await delay(300);
    agent.kill('SIGUSR2');
    await untilThere(report, (names) => names.some((name) => name.endsWith('.json')));
    await delay(300);
    const text = await textOfAll(report);
    if (!text.includes('javascriptStack')) throw new Error('no report was written');
    return text;
  },
  expected: DONE,
};

/** The arguments and environment of a command that `start` runs. */
const childTrial: SecretTrial = {
  name: 'a temperature command of normal operation',
  start: ({ paths }, folder) => ({
    args: [
      ...['start', '--dir', paths.deviceFolder, '--log-format', 'json', '--log-level', 'debug'],
      ...[
        '--source',
        `command:mkdir ${folder}/child; cat /proc/self/environ /proc/$$/cmdline > ${folder}/child/seen; exec sleep 60`,
      ],
    ],
  }),
  async meanwhile(_scene, agent, folder) {
    await untilThere(join(folder, 'child'), (names) => names.includes('seen'));
    await delay(1000);
    agent.kill('SIGTERM');
    return textOfAll(join(folder, 'child'));
  },
  expected: DONE,
};

/** Libraries print packets with passwords when the environment enables it. */
const debugTrial: SecretTrial = {
  name: 'DEBUG=* in the environment',
  start: () => ({ env: { DEBUG: '*', NODE_DEBUG: '*' } }),
  expected: DONE,
};

/** Credentials that the device has not generated. */
const storedTrial: SecretTrial = {
  name: 'credentials stored on the server',
  scene: {
    server: {
      strategy: 'CHECK_PRE_PROVISIONED_DEVICES',
      devices: [{ name: 'cam-1', credentials: { type: 'ACCESS_TOKEN', token: 'stored/on+the=server' } }],
    },
    device: { name: 'cam-1' },
  },
  expected: DONE,
};

/** The answer is lost: the run succeeds through `reconcile`. */
const lostAnswerTrial: SecretTrial = {
  name: 'a lost answer',
  scene: {
    server: { faults: [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }] },
    provisioning: { max_retries: 2 },
  },
  expected: DONE,
};

/** An unexpected reply that contains secrets. */
const unexpectedAnswerTrial: SecretTrial = {
  name: 'an unexpected answer',
  scene: {
    server: {
      faults: [{ on: 'request', nth: 1, action: 'answer', payload: `{"status":"${DEVICE_KEY}${DEVICE_SECRET}"}` }],
    },
    provisioning: { max_retries: 2 },
  },
  expected: DONE,
};

export const secretSuccesses: readonly SecretTrial[] = [
  ...loggedTrials,
  ...kindTrials,
  reportTrial,
  childTrial,
  debugTrial,
  storedTrial,
  lostAnswerTrial,
  unexpectedAnswerTrial,
];
