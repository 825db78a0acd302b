import { expect, it } from 'vitest';
import type { ProvisionContext } from '../../machines/provision.types.ts';
import { createLiveModel } from '../../src/watch/liveModel.ts';
import type { RedactedEvent } from '../../src/watch/redact.ts';
import { createRedaction } from '../../src/watch/redact.ts';
import { failureRecord } from '../support/failureRecord.ts';

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

it('the interrupted state of a resumed run has no duration, as in the snapshot', () => {
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

const RUN = { rootId: 'x:0', sessionId: 'x:0', createdAt: '1', id: '', _version: '0.7.2' };

/** The error in the view of a run with this context. */
function shown(error: NonNullable<ProvisionContext['error']>) {
  const redact = createRedaction();
  const model = createLiveModel();
  const ended = { status: 'done', output: undefined, error: undefined } as const;
  const snapshot = { ...ended, value: 'failed', context: { error } };
  model.add(
    redact({ ...RUN, type: '@xstate.actor', name: 'provision', parentId: undefined, definition: '{}', snapshot }),
  );
  model.add(redact({ ...RUN, type: '@xstate.snapshot', event: { type: 'RESUME' }, snapshot }));
  return model.views()[0]?.error;
}

it('shows message and hint of a failure that the chart itself detected', () => {
  expect(shown({ code: 'RESUME_LOOP', situation: 'noProgress', facts: { resumes: 20 } })).toMatchObject({
    code: 'RESUME_LOOP',
    message: 'The run was interrupted 20 times without progress',
    hint: expect.stringContaining('Find out what ends the agent'),
    causes: [],
  });
});

it('shows a failure of an effect unchanged', () => {
  const { code, message, hint } = failureRecord('DISK_FULL', 'full');
  expect(shown(failureRecord('DISK_FULL', 'full'))).toEqual({ code, message, hint, causes: [] });
});
