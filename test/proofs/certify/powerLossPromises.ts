/**
 * The promise oracle: everything that the agent has told must be true after every later power loss. A missing fsync of
 * a folder leaves each file complete; only the told facts show that a file is lost.
 */

import { isDeepStrictEqual } from 'node:util';
import { type ActiveState, hasReached } from '../../../machines/provision.states.ts';
import { snapshotSchema } from '../../../src/state/snapshotDocument.ts';
import {
  clientFileProblems,
  type FileIn,
  loginInConfig,
  loginInCredentials,
  type StoredLogin,
} from '../../support/storedLogin.ts';
import type { LossState } from './powerLossStates.ts';

/** The result of the traced run. Every state is assessed by it. */
export interface RunFacts {
  readonly configBefore: Uint8Array | undefined;
  /** The complete new configurations. A run that was resumed after the write has two. */
  readonly configsAfter: readonly Uint8Array[];
  readonly login: StoredLogin;
}

/** The facts of a state. */
export interface StateFacts {
  readonly config: 'old' | 'new' | 'broken';
  readonly requested: boolean;
  readonly processed: boolean;
  /** What is wrong with the files that the configuration names. */
  readonly clientFiles: readonly string[];
  /** The device's name and credentials are in credentials.json. */
  readonly generated: boolean;
  /** They are there as issued by the server. */
  readonly issued: boolean;
  readonly credentials: 'absent' | 'whole' | 'broken';
  readonly snapshot: 'absent' | 'whole' | 'broken';
  /** The snapshot records that a request may have been sent. */
  readonly requestKnown: boolean;
  /** The snapshot records the coming write of the configuration; the coming rename of provision.txt. */
  readonly writeKnown: boolean;
  readonly finalizeKnown: boolean;
  readonly finished: boolean;
  readonly backedUp: boolean;
}

const CONFIG = 'thermal_config.json';
const BACKUP = `${CONFIG}.backup.`;

function parse(bytes: Buffer | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

export function factsOf({ files }: LossState, run: RunFacts): StateFacts {
  const bytesOf = (path: string): Buffer | undefined => files.get(path)?.bytes;
  const config = bytesOf(CONFIG);
  const credentialsBytes = bytesOf('provision-state/credentials.json');
  const credentials = parse(credentialsBytes);
  const snapshotBytes = bytesOf('provision-state/snapshot.json');
  const snapshot = snapshotSchema.safeParse(parse(snapshotBytes));
  const { configBefore, configsAfter, login } = run;
  const { generated, issued } = loginInCredentials(credentials, login);
  const fileIn: FileIn = (name) => files.get(name);
  const isNew = config !== undefined && configsAfter.some((after) => config.equals(after));
  const reached = (state: ActiveState): boolean => snapshot.success && hasReached(state, snapshot.data.context);
  const isOld =
    config === undefined ? configBefore === undefined : configBefore !== undefined && config.equals(configBefore);
  return {
    config: isOld ? 'old' : isNew ? 'new' : 'broken',
    clientFiles: [
      ...(config === undefined ? [] : clientFileProblems(config, fileIn)),
      ...(isNew && !isDeepStrictEqual(loginInConfig(config, fileIn), login) ? ['another login'] : []),
    ],
    requested: files.has('provision.txt'),
    processed: files.has('provision.txt.processed'),
    generated,
    issued,
    credentials: credentialsBytes === undefined ? 'absent' : credentials === undefined ? 'broken' : 'whole',
    snapshot: snapshotBytes === undefined ? 'absent' : snapshot.success ? 'whole' : 'broken',
    requestKnown: snapshot.success && snapshot.data.context.requestsOut > 0,
    writeKnown: reached('write'),
    finalizeKnown: reached('finalize'),
    finished: snapshot.success && snapshot.data.state === 'provisioned',
    backedUp:
      configBefore === undefined ||
      [...files].some(
        ([path, { bytes }]) => path.startsWith(BACKUP) && !path.endsWith('.tmp') && bytes.equals(configBefore),
      ),
  };
}

/** The problems of a state that do not depend on the told facts. */
export function wholenessProblems(facts: StateFacts): string[] {
  return [
    ...(facts.config === 'broken' ? ['thermal_config.json is neither the complete old nor the complete new one'] : []),
    ...facts.clientFiles,
    ...(facts.credentials === 'broken' ? ['credentials.json is not complete'] : []),
    ...(facts.snapshot === 'broken' ? ['snapshot.json is not complete'] : []),
    ...(facts.config === 'new' && !facts.backedUp
      ? ['thermal_config.json is new, but there is no copy of the old']
      : []),
    // The barrier (docs/architecture.md): the snapshot must know every effect that is on the disk.
    ...(facts.config === 'new' && !facts.writeKnown
      ? ['thermal_config.json is new, but the snapshot knows nothing']
      : []),
    ...(!facts.requested && !facts.finalizeKnown ? ['provision.txt is gone, but the snapshot knows nothing'] : []),
  ];
}

/** Something that the agent tells, recognised by a text in its packets or output. */
export interface Told {
  readonly by: 'network' | 'output';
  readonly words: string;
  /** The promise from then on, as text and as a test. */
  readonly promise: string;
  readonly isKept: (facts: StateFacts) => boolean;
}

const REQUEST_KNOWN = 'name and credentials of a sent request are stored, and the snapshot knows the request';
const logged = (event: string): string => `"event":"${event}"`;
const hasLogin = ({ generated, config }: StateFacts): boolean => generated || config === 'new';
const hasGrant = ({ issued, config, finished }: StateFacts): boolean => issued || (config === 'new' && finished);

/** Everything that the agent tells. Not every run tells all of it. */
export const TOLD: readonly Told[] = [
  {
    by: 'network',
    words: '"provisionDeviceKey"',
    promise: REQUEST_KNOWN,
    isKept: (facts) => hasLogin(facts) && facts.requestKnown,
  },
  {
    // The only sign of it under TLS.
    by: 'output',
    words: logged('request.sent'),
    promise: REQUEST_KNOWN,
    isKept: (facts) => hasLogin(facts) && facts.requestKnown,
  },
  {
    by: 'output',
    words: logged('candidate.drawn'),
    promise: 'the generated name and credentials are stored',
    isKept: hasLogin,
  },
  {
    by: 'output',
    words: logged('request.granted'),
    promise: 'the issued credentials are stored',
    isKept: hasGrant,
  },
  {
    by: 'output',
    words: logged('reconcile.accepted'),
    promise: 'the credentials of the found device are stored as issued',
    isKept: hasGrant,
  },
  {
    by: 'output',
    words: logged('reconcile.recovered'),
    promise: 'the credentials of the device of an earlier life are stored as issued',
    isKept: hasGrant,
  },
  {
    by: 'output',
    words: logged('backup.made'),
    promise: 'a backup has the old configuration',
    isKept: ({ backedUp }) => backedUp,
  },
  {
    by: 'output',
    words: logged('config.written'),
    promise: 'thermal_config.json is the new one',
    isKept: ({ config }) => config === 'new',
  },
  {
    by: 'output',
    words: logged('trigger.processed'),
    promise: 'provision.txt is renamed to provision.txt.processed',
    isKept: ({ requested, processed }) => !requested && processed,
  },
  {
    by: 'output',
    words: logged('run.provisioned'),
    promise: 'configuration, trigger and snapshot say that the run has ended',
    isKept: ({ config, requested, processed, finished }) => config === 'new' && !requested && processed && finished,
  },
];

/** Messages from the server after which the device must exist. */
export const SERVER_SAID: readonly string[] = ['"status":"SUCCESS"', 'v1/devices/me/attributes/response/1'];
/** What the agent tells then: under TLS the server's words can't be read. */
export const REGISTERED_BY: readonly string[] = ['request.granted', 'reconcile.accepted', 'reconcile.recovered'].map(
  logged,
);
