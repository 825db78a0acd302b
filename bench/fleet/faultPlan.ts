import { ACTIVE_STATES, type ProvisionState } from '../../machines/provision.states.ts';
import type { ConnectAction, Fault, MessageAction } from '../../src/simulator/faults.ts';
import { seededRandom } from '../../test/proofs/kill/seededRandom.ts';

/** The faults of a fleet, generated from a seed. */
export interface FaultPlan {
  readonly faults: readonly Fault[];
  /** Numbers of the requests whose name another client takes just before: FAILURE, and nothing is committed. */
  readonly nameTakenAt: ReadonlySet<number>;
  /** Time from a request to its commit, ms: longer than some connections last. */
  readonly commitDelayMs: number;
  /** The state in which the agent of a device is killed at this start. */
  killIn(index: number, boot: number): ProvisionState | undefined;
}

/** Share of the occasions at which a fault strikes. */
const SHARE = 0.12;
const NAME_TAKEN_SHARE = 0.02;
/** Share of the devices that are killed at their first start; half as many at the second, none at the third. */
const KILL_SHARE = 0.2;
const COMMIT_DELAY_MS = 40;
/** Retries and repeated starts make more occasions than devices. */
const OCCASIONS_PER_DEVICE = 3;

const FAILURE_ANSWER = '{"errorMsg":"Failed to provision device!","status":"FAILURE"}';

const CONNECT: readonly [ConnectAction, ...ConnectAction[]] = [
  { action: 'close' },
  { action: 'refuse', code: 3 },
  { action: 'stallConnack', ms: 300 },
  { action: 'acceptThenClose' },
  // The connection closes before the commit: the device asks for its credentials before they exist.
  { action: 'acceptThenClose', ms: COMMIT_DELAY_MS / 2 },
];

const MESSAGE: readonly [MessageAction, ...MessageAction[]] = [
  { action: 'close' },
  { action: 'silence' },
  { action: 'silenceThenPubackAndClose', ms: 200 },
  { action: 'dropAnswer' },
  { action: 'dropAnswerAndClose' },
  { action: 'pubackOnly' },
  { action: 'delay', ms: 300 },
  { action: 'malformedAnswer' },
  { action: 'duplicateAnswer' },
  { action: 'answerOnOtherTopic' },
  { action: 'answerThenClose' },
];

/** The server creates the device and answers FAILURE. */
const CREATED_YET_FAILURE: MessageAction = { action: 'answer', payload: FAILURE_ANSWER };

/** The states in which agents are killed. `detect` is too short, and no fault here leads to `restore`. */
const KILL_STATES = ACTIVE_STATES.filter((state) => state !== 'detect' && state !== 'restore');

/** @param devices size of the fleet */
export function faultPlan(seed: string, devices: number): FaultPlan {
  const random = seededRandom(`fleet/${seed}`);
  const faults: Fault[] = [];
  const nameTakenAt = new Set<number>();
  for (let nth = 1; nth <= OCCASIONS_PER_DEVICE * devices; nth += 1) {
    if (random.next() < SHARE) faults.push({ on: 'provisionConnect', nth, ...random.pick(CONNECT) });
    if (random.next() < SHARE) {
      // A node of the server may not know a new device yet.
      const action = random.next() < 0.1 ? ({ action: 'refuse', code: 5 } as const) : random.pick(CONNECT);
      faults.push({ on: 'deviceConnect', nth, ...action });
    }
    if (random.next() < SHARE) faults.push({ on: 'request', nth, ...random.pick([...MESSAGE, CREATED_YET_FAILURE]) });
    else if (random.next() < NAME_TAKEN_SHARE) nameTakenAt.add(nth);
    if (random.next() < SHARE) faults.push({ on: 'attributeRequest', nth, ...random.pick(MESSAGE) });
  }
  return {
    faults,
    nameTakenAt,
    commitDelayMs: COMMIT_DELAY_MS,
    killIn(index, boot) {
      const random = seededRandom(`fleet/${seed}/${index}/${boot}`);
      return boot <= 2 && random.next() < KILL_SHARE / boot ? KILL_STATES[random.below(KILL_STATES.length)] : undefined;
    },
  };
}
