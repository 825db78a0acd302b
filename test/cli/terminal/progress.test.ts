import { expect, it, onTestFinished, vi } from 'vitest';
import { type ProvisionState, STATES } from '../../../machines/provision.states.ts';
import { createProgress } from '../../../src/cli/terminal/progress.ts';
import type { LogLevel } from '../../../src/log/levels.ts';
import type { LogDetails } from '../../../src/log/log.ts';
import type { AgentResult } from '../../../src/provision/result.ts';
import type { RecordedContext } from '../../../src/state/snapshotDocument.ts';
import { SETTINGS } from '../../support/chartAnswers.ts';
import { failureRecord } from '../../support/failureRecord.ts';
import { snapshotIn } from '../../support/snapshots.ts';

const CLEAR_LINE = '\r\x1b[K';
const FAILURE = failureRecord('CONNECTION_REFUSED', 'No connection to server.example:1883');
const RESULT: AgentResult = { outcome: 'nothing', exitStatus: 0, runId: null, deviceName: null, failure: null };

const contextOf = (context: Partial<RecordedContext> = {}): RecordedContext =>
  snapshotIn('request', { settings: SETTINGS, ...context }).context;

/** A display on a fake terminal, with a clock that the test moves. */
function display({
  columns = 80,
  room = () => Number.POSITIVE_INFINITY,
  now = () => Date.now(),
}: {
  columns?: number;
  room?: () => number;
  /** Null: the default of the display. */
  now?: (() => number) | null;
} = {}) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  onTestFinished(() => void vi.useRealTimers());
  let written = '';
  const output = {
    write(bytes: Uint8Array): number {
      const taken = Math.min(bytes.length, room());
      written += Buffer.from(bytes.subarray(0, taken)).toString('latin1');
      return taken;
    },
    close: vi.fn(),
  };
  const paint = (_colour: string, text: string): string => text;
  const screen = { output, columns: () => columns, paint, folder: '/device' };
  const progress = now === null ? createProgress(screen) : createProgress(screen, now);
  const text = (): string => Buffer.from(written, 'latin1').toString('utf8');
  return {
    ...progress,
    output,
    written: text,
    /** The final text of the terminal: each line as it was drawn last. */
    shown: (): string[] =>
      text()
        .split('\n')
        .map((line) => line.split(CLEAR_LINE).at(-1) ?? ''),
    enter: (state: ProvisionState, context: Partial<RecordedContext> = {}): void =>
      progress.onState(state, contextOf(context)),
    log: (level: LogLevel, event: string, message: string, details: LogDetails = {}): void =>
      progress.sink({ time: '', level, event, message, runId: null, state: null, attempt: null, details }),
  };
}

it('ticks a step off when a later step begins, and shows the present step', () => {
  const { enter, shown } = display();
  for (const state of ['detect', 'validate', 'prepare'] as const) enter(state);
  expect(shown()).toEqual([
    `✓ detect: ${STATES.detect.doing}`,
    `✓ validate: ${STATES.validate.doing}`,
    `… prepare: ${STATES.prepare.doing}`,
  ]);
  vi.advanceTimersByTime(3000);
  expect(shown().at(-1)).toBe(`… prepare 3 s: ${STATES.prepare.doing}`);
});

it('counts a pause down, with its reason and the next attempt', () => {
  const { enter, shown } = display();
  enter('request');
  enter('backoff', { now: 1000, retryAt: 5000, retries: 2, waitingFor: 'retry', lastFailure: FAILURE });
  expect(shown()).toEqual([
    '! request: CONNECTION_REFUSED: No connection to server.example:1883',
    '… backoff: attempt 3 of 4 in 4 s',
  ]);
  vi.advanceTimersByTime(2500);
  expect(shown().at(-1)).toBe('… backoff: attempt 3 of 4 in 2 s');
  vi.advanceTimersByTime(60_000);
  expect(shown().at(-1)).toBe('… backoff: attempt 3 of 4 in 0 s');
  enter('request', { retries: 2 });
  expect(shown().at(-1)).toBe(`… request (attempt 3 of 4): ${STATES.request.doing}`);
});

it('counts the pause of --splay down', () => {
  const { enter, log, shown } = display();
  enter('prepare');
  log('info', 'splay.waiting', 'Waits', { ms: 37_200 });
  expect(shown()).toEqual(['… prepare: first contact in 38 s (--splay)']);
  vi.advanceTimersByTime(30_000);
  expect(shown()).toEqual(['… prepare: first contact in 8 s (--splay)']);
  enter('request');
  expect(shown()[0]).toBe(`✓ prepare: ${STATES.prepare.doing}`);
});

it('a jump of the clock does not change the remaining time of a pause', () => {
  const { enter, shown } = display({ now: null });
  enter('backoff', { now: 1000, retryAt: 5000, retries: 2, waitingFor: 'retry', lastFailure: FAILURE });
  vi.setSystemTime(new Date('2099-01-01'));
  vi.advanceTimersByTime(500);
  expect(shown().at(-1)).toBe('… backoff: attempt 3 of 4 in 4 s');
});

it('names a pause before a probe, and does not tick off an unsettled request', () => {
  const { enter, shown } = display();
  enter('request');
  enter('reconcile');
  enter('backoff', { now: 0, retryAt: 1000, waitingFor: 'probe', lastFailure: FAILURE });
  expect(shown()).toEqual(['… backoff: probe in 1 s']);
  enter('reconcile');
  enter('verifyCredentials');
  expect(shown()[0]).toBe(`✓ reconcile: ${STATES.reconcile.doing}`);
});

it('ticks reconcile off when the request is sent again', () => {
  const { enter, shown } = display();
  enter('reconcile');
  enter('request');
  expect(shown()[0]).toBe(`✓ reconcile: ${STATES.reconcile.doing}`);
});

it('does not tick off a step after a step back or a failure', () => {
  const { enter, shown } = display();
  for (const state of ['write', 'restore', 'failed'] as const) enter(state);
  expect(shown().join()).not.toContain('✓');
});

it('never draws the redrawn line wider than the terminal, and breaks other lines at spaces', () => {
  const { enter, log, written } = display({ columns: 30 });
  enter('verifyCredentials', { retries: 1 });
  log('warn', 'verify.refused', 'the server refuses the credentials that it has issued to this device');
  for (const line of written().replaceAll(CLEAR_LINE, '\n').split('\n')) expect([...line].length).toBeLessThan(31);
  expect(written()).toMatch(/! the server refuses the\n {2}credentials that it has\n/);
});

it('shows warnings, but no info lines, no events of its own lines, and no control characters', () => {
  const { log, shown } = display();
  log('info', 'state.entered', 'information');
  log('warn', 'backoff.waiting', 'a pause');
  log('error', 'run.failed', 'the end');
  log('warn', 'validate.warning', 'odd\x1b[2J\x08');
  expect(shown()).toEqual(['! odd?', '']);
});

it.each([
  [{ ...RESULT, outcome: 'provisioned', deviceName: 'cam-1' }, ['✓ Provisioned as cam-1']],
  [RESULT, ['✓ No provision.txt in /device: nothing to do']],
  [{ ...RESULT, outcome: 'withdrawn' }, ['! provision.txt was removed', 'thermal-provision status --dir /device']],
  [{ ...RESULT, outcome: 'interrupted', exitStatus: 75 }, ['! Interrupted; the next start resumes the run']],
  [
    { ...RESULT, outcome: 'failed', exitStatus: 69, failure: FAILURE },
    ['✗ CONNECTION_REFUSED: No connection', `→ ${FAILURE.hint}`, 'Exit status 69'],
  ],
  [{ ...RESULT, outcome: 'failed' }, ['✗ INTERNAL']],
] satisfies [AgentResult, string[]][])('ends %j with the result and the next step', async (result, says) => {
  const { enter, end, log, written, shown, output } = display({ columns: 200 });
  enter('validate');
  if (result.outcome === 'nothing') log('info', 'run.nothing', 'No provision.txt in /device: nothing to do');
  await end(result);
  for (const text of says) expect(shown().join('\n')).toContain(text);
  expect(written()).toMatch(/\n$/);
  expect(output.close).toHaveBeenCalledOnce();
  const before = written();
  vi.advanceTimersByTime(1000);
  enter('prepare');
  expect(written()).toBe(before);
});

it('never hides the cursor', async () => {
  const { enter, end, written } = display();
  enter('detect');
  await end(RESULT);
  expect(written()).not.toContain('\x1b[?');
});

it('keeps output for a stalled terminal within a limit, and shows it when the terminal resumes', () => {
  let room = 0;
  const { enter, log, shown, written } = display({ room: () => room });
  enter('detect');
  enter('validate');
  for (let i = 0; i < 2000; i += 1) log('warn', 'validate.warning', `warning ${i} ${'x'.repeat(60)}`);
  expect(written()).toBe('');
  room = 1000;
  vi.advanceTimersByTime(1000);
  expect(shown()[0]).toBe(`✓ detect: ${STATES.detect.doing}`);
  expect(written().length).toBeLessThan(70_000);
  expect(shown().at(-1)).toMatch(/^… validate/);
});

it('waits only a moment at the end if the terminal stalls', async () => {
  const { end } = display({ room: () => 0 });
  const startedAt = performance.now();
  await end(RESULT);
  expect(performance.now() - startedAt).toBeLessThan(2000);
});

it('ends without an error when the terminal is gone', async () => {
  const { enter, end, log } = display({
    room: () => {
      throw new Error('EIO');
    },
  });
  enter('detect');
  log('warn', 'validate.warning', 'odd');
  vi.advanceTimersByTime(1000);
  await end(RESULT);
});
