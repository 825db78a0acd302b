import { describe, expect, it } from 'vitest';
import { explanation } from '../../src/status/explanation.ts';
import { makeStatus } from '../../src/status/makeStatus.ts';
import { openWarnings } from '../../src/status/openWarnings.ts';
import { present } from '../../src/status/part.ts';
import { statusText } from '../../src/status/statusText.ts';
import { CONFIG, type Found, filesWith, GRANTED, problem, runIn } from '../support/statusFiles.ts';

const INTERVAL = 'telemetry.interval_seconds: expected an integer from 1 to 3600';

/** A provisioned device with these warnings in its snapshot. */
const device = (warnings: readonly string[], found: Found = {}, folder = 0o755) =>
  filesWith(
    {
      snapshot: runIn('provisioned', { granted: GRANTED, furthestStep: 8, warnings }),
      config: { ...CONFIG, deviceId: 'cam-1' },
      ...found,
    },
    { folder: present(folder) },
  );

const BROKEN = { config: { ...CONFIG, deviceId: 'cam-1', problems: [INTERVAL] } };
const OPEN = 'Every user of this device can write to /device (mode 777)';

/** Warnings that need someone, each with its advice. */
const TO_ACT_ON: Readonly<Record<string, readonly [text: string, advice: RegExp, found?: Found, folder?: number]>> = {
  'a rule that the configuration still breaks': [`thermal_config.json: ${INTERVAL}`, /^Correct the value/, BROKEN],
  'a folder that is still open to every user': [OPEN, /chmod o-w/, {}, 0o777],
  'settings that were lost': [
    'thermal_config.json could not be used; the backup keeps it, and the settings come from the defaults',
    /^Compare thermal_config\.json with its backup/,
  ],
  'a device of earlier settings': [
    'provision.json was changed after a request may have been sent: an unused device cam-0 may exist on tb.example:1883; delete it there',
    /^Look on the server for the device in the warning/,
  ],
  'a board secret that is not used': [
    'The board secret is not used, because the device name is random: a lost card loses the device',
    /^Give the device a name without a random part/,
  ],
  'credentials that are not derived': [
    'This run began without this board secret, and a request may have been sent: it keeps the credentials that it has, and a lost card loses the device',
    /^Delete the device on the server/,
  ],
  'a device that did not answer': [
    'tb.example accepted the new credentials, but did not answer a request for attributes',
    /telemetry arrives/,
  ],
  'a warning of a newer agent': ['something new', /^Do what the warning says\.$/],
};

describe('a warning about', () => {
  it.each(Object.entries(TO_ACT_ON))('%s makes a provisioned device degraded, and says what to do', (_what, given) => {
    const [text, advice, found, folder] = given;
    const status = makeStatus(device([text], found, folder));
    expect(status).toMatchObject({ status: 'degraded', exitStatus: 2, warnings: [text] });
    expect(status.errors).toMatchObject([
      { code: 'WARNINGS', message: 'The device was provisioned, with a warning to act on' },
    ]);
    expect(status.next?.text).toMatch(advice);
    expect(status.next?.text).toBe(status.errors[0]?.hint);
  });

  it.each([
    ['provision.json', 'provision.json: unknown key colour'],
    ['a rule that the configuration no longer breaks', `thermal_config.json: ${INTERVAL}`],
    [
      'a value that the run has replaced (recorded by version 1.0.0)',
      'thermal_config.json: thingsboard.host: expected a non-empty string',
    ],
    ['a folder that is no longer open to every user', OPEN],
    [
      'the run of another board',
      'The unfinished run in this folder belongs to another board (was the card cloned?): …',
    ],
    [
      'a garbled answer',
      'tb.example refuses the access token of its own answer, but accepts the one that this device generated: using that one',
    ],
    [
      'credentials that were garbled in the answer',
      'tb.example refuses the credentials of its own answer, but accepts those that this device generated: using those',
    ],
    [
      'a client that knows only tokens',
      'A camera client that knows only access tokens can\'t use this configuration: the device logs in with a client certificate, as "start" does',
    ],
  ])('%s needs nobody: the device is done, without a warning', (_what, text) => {
    const status = makeStatus(device([text]));
    expect(status).toMatchObject({ status: 'done', exitStatus: 0, warnings: [], errors: [], next: null });
    expect(explanation(device([text]))).not.toContain(text);
  });
});

it('each advice is given once, and warnings that need nobody are not counted', () => {
  const text = statusText(makeStatus(device(['one', 'provision.json: unknown key colour', OPEN, 'two'], {}, 0o777)));
  expect(text).toContain('with 3 warnings to act on');
  expect(text).toMatch(/next: +Do what the warning says\. Remove the write permission .*device folder\.\n$/);
});

it('a problem that spans lines is compared as a whole', () => {
  const config = { ...CONFIG, problems: ['one\ntwo'] };
  const files = filesWith({ config });
  expect(openWarnings(files, ['thermal_config.json: one\ntwo', 'thermal_config.json: one'])).toHaveLength(1);
});

it("a warning about files that can't be read now stays", () => {
  const files = filesWith({ config: problem('CONFIG_UNREADABLE') }, { folder: problem('FILE_NOT_PERMITTED') });
  expect(openWarnings(files, [`thermal_config.json: ${INTERVAL}`, OPEN])).toHaveLength(2);
});

it('a run that has not succeeded shows every warning', () => {
  const warnings = ['provision.json: the device key starts or ends with white space, and the server does not trim it'];
  expect(makeStatus(filesWith({ snapshot: runIn('failed', { warnings }) })).warnings).toEqual(warnings);
});
