import type { EffectContracts, EffectName, SettingsSummary } from '../../machines/provision.types.ts';
import { failureRecord } from './failureRecord.ts';

/** How an effect ends in a test: its output at a time (ms since the epoch), for its input. */
export type Answer<Name extends EffectName> = (
  at: number,
  input: EffectContracts[Name]['input'],
) => EffectContracts[Name]['output'];

export const TRIGGER = { inode: '12', mtimeNs: '1763892000000000000' };
export const DIGEST = '0123456789abcdef';
export const SETTINGS: SettingsSummary = {
  digest: DIGEST,
  server: { host: 'server.example', port: 1883, useSsl: false, caFile: null },
  nameSource: 'random',
  maxRetries: 3,
  timeoutSeconds: 30,
};
export const nameOf = (nameIndex: number): string => `thermal-camera-00000${nameIndex}`;

const issuedFor = (nameIndex: number, successSeen: boolean) => ({
  deviceName: nameOf(nameIndex),
  fingerprint: `f${nameIndex}`,
  successSeen,
});

/** `validate` with other settings than the usual ones. */
export const validated =
  (settings: Partial<SettingsSummary>): Answer<'validate'> =>
  (at) => ({ settings: { ...SETTINGS, ...settings }, previousDeviceId: null, newestBackupAt: null, at });

/** `prepare`, which generates a name. */
export const generated: Answer<'prepare'> = (at, { nameIndex }) => ({
  nameIndex,
  deviceName: nameOf(nameIndex),
  fingerprint: `f${nameIndex}`,
  reused: false,
  answered: false,
  derived: false,
  granted: null,
  at,
});
/** `prepare`, which finds a name that an earlier run generated. */
export const reused: Answer<'prepare'> = (at, input) => ({ ...generated(at, input), reused: true });
/** `prepare`, which finds a name of an earlier run whose requests were all answered FAILURE. */
export const reusedAfterFailure: Answer<'prepare'> = (at, input) => ({ ...reused(at, input), answered: true });
/** `prepare` with a board secret, which gives the credentials of a fixed name. */
export const derived: Answer<'prepare'> = (at, input) => ({ ...reused(at, input), derived: true });
/** `prepare`, which finds what the server gave an earlier run. */
export const adoptedGrant: Answer<'prepare'> = (at, input) => ({
  ...reused(at, input),
  granted: issuedFor(input.nameIndex, false),
});

export const granted: Answer<'request'> = (at, { nameIndex }) => ({
  outcome: 'granted',
  issued: issuedFor(nameIndex, true),
  at,
});
export const failureAnswer: Answer<'request'> = (at) => ({ outcome: 'failure', issued: null, at });
export const unknownOutcome: Answer<'request'> = (at) => ({
  outcome: 'unknown',
  issued: null,
  failure: failureRecord('ANSWER_TIMEOUT', 'no answer'),
  at,
});

export const notRegistered: Answer<'reconcile'> = (at) => ({ outcome: 'refused', issued: null, at });
export const registered: Answer<'reconcile'> = (at, { nameIndex, includeCurrent }) => ({
  outcome: 'accepted',
  issued: issuedFor(includeCurrent ? nameIndex : nameIndex - 1, false),
  at,
});

export const proven: Answer<'verifyCredentials'> = (at) => ({
  outcome: 'proven',
  by: 'attributes',
  server: SETTINGS.server,
  at,
});
export const refusedCredentials: Answer<'verifyCredentials'> = (at) => ({
  outcome: 'refused',
  failure: failureRecord('CREDENTIALS_REFUSED', 'refused'),
  at,
});

export const wrote =
  (outcome: EffectContracts['write']['output']['outcome']): Answer<'write'> =>
  (at) => ({ outcome, at });

/** What each effect answers when all goes well. */
export const answers: { readonly [Name in EffectName]: Answer<Name> } = {
  detect: (at) => ({ trigger: TRIGGER, unfinished: false, at }),
  validate: validated({}),
  prepare: generated,
  request: granted,
  reconcile: notRegistered,
  verifyCredentials: proven,
  backup: (at, { name }) => ({ name, made: true, at }),
  write: wrote('written'),
  restore: (at) => ({ at }),
  finalize: (at) => ({ renamed: true, at }),
};
