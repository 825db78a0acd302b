/** A new action of a fault needs a part in several places, and each place is looked at here. */

import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import type { ConnectAction, Fault, MessageAction } from '../../src/simulator/faults.ts';
import { parseFault } from '../../src/simulator/faultText.ts';
import { until } from '../support/until.ts';
import { KEYS, open, REQUEST, simulate, wait } from './mqttClients.ts';

/** Each action as `--fault` spells it. An action that is missing here does not compile. */
const ON_CONNECT: Readonly<Record<ConnectAction['action'], string>> = {
  close: 'close',
  stallConnack: 'stallConnack',
  refuse: 'refuse:3',
  acceptThenClose: 'acceptThenClose',
};
const ON_MESSAGE: Readonly<Record<MessageAction['action'], string>> = {
  close: 'close',
  silence: 'silence',
  silenceThenPubackAndClose: 'silenceThenPubackAndClose:0',
  dropAnswer: 'dropAnswer',
  dropAnswerAndClose: 'dropAnswerAndClose',
  pubackOnly: 'pubackOnly',
  delay: 'delay:60000',
  malformedAnswer: 'malformedAnswer',
  answer: 'answer:{}',
  duplicateAnswer: 'duplicateAnswer',
  answerOnOtherTopic: 'answerOnOtherTopic',
  answerThenClose: 'answerThenClose',
};

const cases = [
  ...Object.entries(ON_CONNECT).map(([action, text]) => ({ point: 'connect', action, text })),
  ...Object.entries(ON_MESSAGE).map(([action, text]) => ({ point: 'request', action, text })),
];

/** The actions that `simulate --help` lists for a point. */
function listedFor(point: string): string[] {
  let help = '';
  const simulate = createProgram().commands.find((command) => command.name() === 'simulate');
  simulate?.configureOutput({ writeOut: (part) => (help += part) }).outputHelp();
  const [, list = ''] = new RegExp(`^Points [^\\n]*\\b${point}\\b[^\\n]*:\\n((?: {2}.*\\n)+)`, 'm').exec(help) ?? [];
  return [...list.matchAll(/^ {2}(\w+)/gm)].map(([, action = '']) => action);
}

/** Long enough for an answer; a fault may also be that nothing more comes. */
const QUIET_MS = 500;

/** What a client receives that connects and asks for a device, from a simulator with these faults. */
async function received(...faults: readonly Fault[]): Promise<string> {
  const { url } = await simulate({ faults });
  const { client, received, payloads } = open(url, { username: 'provision' });
  client.publish(REQUEST, JSON.stringify({ ...KEYS, deviceName: 'cam', token: 'token' }), { qos: 1 });
  const [first] = faults;
  if (first === undefined) await until(() => payloads[0]);
  else await Promise.race([until(() => received.includes('close')), wait(QUIET_MS)]);
  return JSON.stringify([received, payloads]);
}

describe('every action of a fault', () => {
  it.each(cases)('can be asked for with --fault: $action on $point', ({ point, action, text }) => {
    expect(parseFault(`${point}=${text}`)).toMatchObject({ on: point, action });
  });

  it.each([
    ['connect', ON_CONNECT],
    ['request', ON_MESSAGE],
  ])('is listed by simulate --help, and no other is: on %s', (point, actions) => {
    expect(listedFor(point).toSorted()).toEqual(Object.keys(actions).toSorted());
  });

  it.each(cases)('changes what the client receives: $action on $point', async ({ point, text }) => {
    expect(await received(parseFault(`${point}=${text}`))).not.toBe(await received());
  });
});
