/**
 * The promise oracle: what the agent has told the world must be true after every later loss of power. A missing fsync
 * of a folder leaves each state whole; only what was said before shows that something is gone.
 */

import { type ActiveState, hasReached } from '../../../machines/provision.states.ts';
import { snapshotSchema } from '../../../src/state/snapshotDocument.ts';
import type { LossState } from './powerLossStates.ts';

/** What the traced run came to; every state is judged by it. */
export interface RunFacts {
  readonly configBefore: Uint8Array | undefined;
  /** A run that was resumed after the configuration had been written has two: each is whole. */
  readonly configsAfter: readonly Uint8Array[];
  readonly deviceName: string;
  readonly token: string;
}

/** What a state shows. */
export interface StateFacts {
  readonly config: 'old' | 'new' | 'broken';
  readonly requested: boolean;
  readonly processed: boolean;
  /** Our name and token are in credentials.json. */
  readonly drawn: boolean;
  /** They are there as what the server has granted. */
  readonly granted: boolean;
  readonly credentials: 'absent' | 'whole' | 'broken';
  readonly snapshot: 'absent' | 'whole' | 'broken';
  /** The snapshot knows that a request may have left. */
  readonly requestKnown: boolean;
  /** The snapshot knows that the configuration was about to be written; that provision.txt was about to be renamed. */
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

/** Whether any object within has exactly these properties, among others. */
function holds(value: unknown, properties: Readonly<Record<string, string>>): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const entries = new Map<string, unknown>(Object.entries(value));
  if (Object.entries(properties).every(([key, wanted]) => entries.get(key) === wanted)) return true;
  return [...entries.values()].some((child) => holds(child, properties));
}

const grantIn = (json: unknown): unknown =>
  typeof json === 'object' && json !== null && 'granted' in json ? json.granted : undefined;

export function factsOf({ files }: LossState, run: RunFacts): StateFacts {
  const bytesOf = (path: string): Buffer | undefined => files.get(path)?.bytes;
  const config = bytesOf(CONFIG);
  const credentialsBytes = bytesOf('provision-state/credentials.json');
  const credentials = parse(credentialsBytes);
  const snapshotBytes = bytesOf('provision-state/snapshot.json');
  const snapshot = snapshotSchema.safeParse(parse(snapshotBytes));
  const { configBefore, configsAfter, deviceName, token } = run;
  const reached = (state: ActiveState): boolean => snapshot.success && hasReached(state, snapshot.data.context);
  const isOld =
    config === undefined ? configBefore === undefined : configBefore !== undefined && config.equals(configBefore);
  return {
    config: isOld ? 'old' : configsAfter.some((after) => config?.equals(after)) ? 'new' : 'broken',
    requested: files.has('provision.txt'),
    processed: files.has('provision.txt.processed'),
    drawn: holds(credentials, { name: deviceName, token }),
    granted: holds(grantIn(credentials), { deviceName, token }),
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

/** What is wrong with a state whatever was told before. */
export function wholenessProblems(facts: StateFacts): string[] {
  return [
    ...(facts.config === 'broken' ? ['thermal_config.json is neither the complete old nor the complete new one'] : []),
    ...(facts.credentials === 'broken' ? ['credentials.json is not whole'] : []),
    ...(facts.snapshot === 'broken' ? ['snapshot.json is not whole'] : []),
    ...(facts.config === 'new' && !facts.backedUp
      ? ['thermal_config.json is new, but there is no copy of the old']
      : []),
    // What the barrier is for (docs/architecture.md): no effect may be found on the disk that nobody remembers.
    ...(facts.config === 'new' && !facts.writeKnown
      ? ['thermal_config.json is new, but the snapshot knows nothing']
      : []),
    ...(!facts.requested && !facts.finalizeKnown ? ['provision.txt is gone, but the snapshot knows nothing'] : []),
  ];
}

/** Something that the agent tells the world, by words in what it sends or prints. */
export interface Told {
  readonly by: 'network' | 'output';
  readonly words: string;
  /** What is true from then on, in words and as a test. */
  readonly promise: string;
  readonly isKept: (facts: StateFacts) => boolean;
}

const logged = (event: string): string => `"event":"${event}"`;
const hasToken = ({ drawn, config }: StateFacts): boolean => drawn || config === 'new';
const hasGrant = ({ granted, config, finished }: StateFacts): boolean => granted || (config === 'new' && finished);

/** All that the agent tells; a run need not come to all of it. */
export const TOLD: readonly Told[] = [
  {
    by: 'network',
    words: '"provisionDeviceKey"',
    promise: 'name and token of a request that left are stored, and that it left is known',
    isKept: (facts) => hasToken(facts) && facts.requestKnown,
  },
  {
    by: 'output',
    words: logged('candidate.drawn'),
    promise: 'the drawn name and token are stored',
    isKept: hasToken,
  },
  {
    by: 'output',
    words: logged('request.granted'),
    promise: 'what the server granted is stored',
    isKept: hasGrant,
  },
  {
    by: 'output',
    words: logged('reconcile.accepted'),
    promise: 'the device that was found is stored as granted',
    isKept: hasGrant,
  },
  {
    by: 'output',
    words: logged('backup.made'),
    promise: 'the old configuration is kept in a backup',
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
    promise: 'provision.txt is provision.txt.processed',
    isKept: ({ requested, processed }) => !requested && processed,
  },
  {
    by: 'output',
    words: logged('run.provisioned'),
    promise: 'configuration, trigger and snapshot say that the run is over',
    isKept: ({ config, requested, processed, finished }) => config === 'new' && !requested && processed && finished,
  },
];

/** What the agent is told by the server, after which the device is certain to exist. */
export const SERVER_SAID: readonly string[] = ['"status":"SUCCESS"', 'v1/devices/me/attributes/response/1'];
