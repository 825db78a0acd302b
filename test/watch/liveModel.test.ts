import { expect, it } from 'vitest';
import { createLiveModel } from '../../src/watch/liveModel.ts';
import type { RedactedEvent } from '../../src/watch/redact.ts';

const snapshotOf = (value: string) =>
  ({ status: 'active', value, context: {}, input: undefined, output: undefined, error: undefined }) as const;
const base = (createdAt: string) => ({ rootId: 'x:0', sessionId: 'x:0', createdAt, id: null, _version: '1' });

const actor: RedactedEvent = {
  ...base('0'),
  type: '@xstate.actor',
  name: 'provision',
  definition: '',
  parentId: undefined,
  snapshot: snapshotOf('backup'),
};
const entered = (createdAt: string, type: string, value: string): RedactedEvent => ({
  ...base(createdAt),
  type: '@xstate.snapshot',
  event: { type },
  snapshot: snapshotOf(value),
});

it('the state that a resumed run was cut in has no duration, as in the snapshot', () => {
  const model = createLiveModel();
  const events = [
    actor,
    entered('1000', 'xstate.init', 'backup'),
    entered('1500', 'RESUME', 'backup'),
    entered('1700', 'xstate.done.actor.backup', 'write'),
  ];
  for (const event of events) model.add(event);
  expect(
    model.views()[0]?.steps.map(({ state, durationMs, attempt, resumed }) => [state, durationMs, attempt, resumed]),
  ).toEqual([
    ['backup', null, 1, false],
    ['backup', 200, 2, true],
    ['write', null, 1, false],
  ]);
});
