import { describe, expect, it } from 'vitest';
import { ACTIVE_STATES, FINAL_STATES } from '../../machines/provision.states.ts';
import type { BoardIdentity } from '../../src/device/board.ts';
import { decideStartUp, type Found } from '../../src/provision/startUp.ts';
import type { Credentials } from '../../src/state/credentials.ts';
import { accessToken } from '../support/accessToken.ts';
import { TRIGGER } from '../support/chartAnswers.ts';
import { snapshotIn } from '../support/snapshots.ts';

const BOARD: BoardIdentity = { serial: 'this', machine: 'm' };
const CREDENTIALS: Credentials = {
  target: { digest: 'd', host: 'server.example', port: 1883 },
  board: BOARD,
  candidates: [{ nameIndex: 1, name: 'camera-1', credentials: accessToken('t'), runId: 'run-1', answered: false }],
  granted: null,
};

const decide = (found: Partial<Found>) =>
  decideStartUp({
    trigger: TRIGGER,
    credentials: undefined,
    snapshot: undefined,
    board: BOARD,
    written: true,
    ...found,
  });

describe('with provision.txt', () => {
  it('starts the first run', () => {
    expect(decide({})).toEqual({ kind: 'new', why: 'no earlier run' });
  });

  it('starts a run that reuses credentials.json when the snapshot is absent or damaged', () => {
    expect(decide({ credentials: CREDENTIALS })).toEqual({ kind: 'new', why: 'no snapshot' });
  });

  it.each(ACTIVE_STATES)('resumes a run that was interrupted in %s', (state) => {
    const snapshot = snapshotIn(state, { furthestStep: 5 });
    expect(decide({ snapshot, credentials: CREDENTIALS })).toEqual({ kind: 'resume', snapshot });
  });

  it('writes the configuration again when it was replaced before the run ended', () => {
    const snapshot = snapshotIn('finalize', { furthestStep: 7 });
    const found = { snapshot, credentials: CREDENTIALS, written: false };
    expect(decide(found)).toEqual({ kind: 'rewrite', snapshot });
  });

  it('resumes a run that had not generated a name yet', () => {
    for (const furthestStep of [0, 1, 2]) {
      const snapshot = snapshotIn('prepare', { furthestStep });
      expect(decide({ snapshot })).toEqual({ kind: 'resume', snapshot });
    }
  });

  it('starts a new run when the run needs a credentials.json that is absent', () => {
    const snapshot = snapshotIn('request', { furthestStep: 3 });
    expect(decide({ snapshot })).toEqual({ kind: 'new', why: 'the earlier run lost its credentials.json' });
  });

  it('starts a new run on another board', () => {
    const board = { serial: 'another', machine: 'm' };
    const snapshot = snapshotIn('reconcile', { furthestStep: 3 });
    expect(decide({ snapshot, credentials: CREDENTIALS, board })).toEqual({
      kind: 'new',
      why: 'the earlier run belongs to another board',
    });
  });

  it.each(FINAL_STATES.filter((state) => state !== 'provisioned'))('never resumes a run that ended as %s', (state) => {
    const expected = { kind: 'new', why: `the earlier run ended as ${state}` };
    expect(decide({ snapshot: snapshotIn(state) })).toEqual(expected);
    expect(decide({ snapshot: snapshotIn(state, { furthestStep: 7 }), credentials: CREDENTIALS })).toEqual(expected);
  });

  it('provisions again after a success', () => {
    expect(decide({ snapshot: snapshotIn('provisioned') })).toEqual({
      kind: 'new',
      why: 'provision.txt is present again',
    });
  });

  it('first cleans up after a finished run, so that its credentials are not reused', () => {
    const snapshot = snapshotIn('provisioned');
    expect(decide({ snapshot, credentials: CREDENTIALS })).toEqual({ kind: 'cleanUp', snapshot, afterwards: 'new' });
  });
});

describe('without provision.txt', () => {
  it.each([undefined, ...ACTIVE_STATES, ...FINAL_STATES])(
    'has nothing to do without credentials.json (%s)',
    (state) => {
      const snapshot = state === undefined ? undefined : snapshotIn(state, { furthestStep: 7 });
      expect(decide({ trigger: null, snapshot })).toEqual({ kind: 'nothing' });
    },
  );

  it('cleans up after a finished run', () => {
    const snapshot = snapshotIn('provisioned', { furthestStep: 8 });
    expect(decide({ trigger: null, snapshot, credentials: CREDENTIALS })).toEqual({
      kind: 'cleanUp',
      snapshot,
      afterwards: 'nothing',
    });
  });

  it('restores the configuration that the run had damaged', () => {
    const snapshot = snapshotIn('restore', { furthestStep: 7 });
    expect(decide({ trigger: null, snapshot, credentials: CREDENTIALS })).toEqual({ kind: 'resume', snapshot });
  });

  it.each(['finalize', 'failed'] as const)('finishes a run that had reached finalize (%s)', (state) => {
    const snapshot = snapshotIn(state, { furthestStep: 7 });
    expect(decide({ trigger: null, snapshot, credentials: CREDENTIALS })).toEqual({ kind: 'finish', snapshot });
  });

  it.each(['finalize', 'failed'] as const)(
    'reports a run as withdrawn if its configuration was replaced (%s)',
    (state) => {
      const snapshot = snapshotIn(state, { furthestStep: 7 });
      const found = { trigger: null, snapshot, credentials: CREDENTIALS, written: false };
      expect(decide(found)).toEqual({ kind: 'withdrawn', snapshot });
    },
  );

  it('reports a run before finalize as withdrawn', () => {
    const snapshot = snapshotIn('write', { furthestStep: 6 });
    expect(decide({ trigger: null, snapshot, credentials: CREDENTIALS })).toEqual({ kind: 'withdrawn', snapshot });
    expect(decide({ trigger: null, credentials: CREDENTIALS })).toEqual({ kind: 'withdrawn', snapshot: undefined });
  });
});
