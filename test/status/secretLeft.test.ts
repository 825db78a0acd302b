import { expect, it } from 'vitest';
import { assess } from '../../src/status/assessment.ts';
import { present } from '../../src/status/part.ts';
import { DIGEST } from '../support/chartAnswers.ts';
import { CONFIG, type Found, filesWith, GRANTED, runIn, SERVER } from '../support/statusFiles.ts';

const PROVISIONED: Found = {
  snapshot: runIn('provisioned', { granted: GRANTED, furthestStep: 8 }),
  config: { ...CONFIG, deviceId: 'cam-1' },
};
const TARGET = { ...SERVER, name: { source: 'random', prefix: 'p' } as const, digest: DIGEST };

it.each([
  ['could not be removed', {}, { secretLeft: true }, 'degraded', ['SECRET_LEFT']],
  ['was removed', {}, { secretLeft: false }, 'done', []],
  ['is needed by a requested run', { requested: true }, { secretLeft: true }, 'done', []],
  ['is for another server', {}, { secretLeft: true, digest: 'other' }, 'done', []],
])('a provisioned device whose secret %s', (_what, found, target, word, codes) => {
  const files = filesWith({ ...PROVISIONED, ...found }, { target: present({ ...TARGET, ...target }) });
  const assessment = assess(files);
  expect([assessment.word, assessment.errors.map(({ code }) => code)]).toEqual([word, codes]);
  if (word === 'degraded') expect(assessment.next?.text).toContain('Remove the secret from /device/provision.json');
});
