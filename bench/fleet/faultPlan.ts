import { ACTIVE_STATES, type ProvisionState } from '../../machines/provision.states.ts';
import type { ConnectAction, Fault, MessageAction } from '../../src/simulator/faults.ts';
import { seededRandom } from '../../test/proofs/kill/seededRandom.ts';

/** What goes wrong for a fleet, drawn from a seed. */
export interface FaultPlan {
  readonly faults: readonly Fault[];
  /** Requests, by their number, whose name somebody else takes the moment before: FAILURE, and nothing is committed. */
  readonly nameTakenAt: ReadonlySet<number>;
  /** From a request to its commit, ms: longer than some connections live. */
  readonly commitDelayMs: number;
  /** The state in which a device's power is cut at this start. */
  cutIn(index: number, boot: number): ProvisionState | undefined;
}

/** Of all occasions at each point. */
const SHARE = 0.12;
const NAME_TAKEN_SHARE = 0.02;
/** Of the devices, at their first start; half as many at the second. The third one must do. */
const CUT_SHARE = 0.2;
const COMMIT_DELAY_MS = 40;
/** Retries and repeated starts make more occasions than devices. */
const OCCASIONS_PER_DEVICE = 3;

const FAILURE_ANSWER = '{"errorMsg":"Failed to provision device!","status":"FAILURE"}';

const CONNECT: readonly [ConnectAction, ...ConnectAction[]] = [
  { action: 'close' },
  { action: 'refuse', code: 3 },
  { action: 'stallConnack', ms: 300 },
  { action: 'acceptThenClose' },
  // Before the commit: the device asks after its request while the server still works on it.
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

/** The device was created, and the server says that it was not. */
const CREATED_YET_FAILURE: MessageAction = { action: 'answer', payload: FAILURE_ANSWER };

/** States in which a power cut strikes: `detect` is over too soon, and nothing here leads to `restore`. */
const CUTS = ACTIVE_STATES.filter((state) => state !== 'detect' && state !== 'restore');
/** @param devices how many devices the fleet has */
export function faultPlan(seed: string, devices: number): FaultPlan {
  const random = seededRandom(`fleet/${seed}`);
  const faults: Fault[] = [];
  const nameTakenAt = new Set<number>();
  for (let nth = 1; nth <= OCCASIONS_PER_DEVICE * devices; nth += 1) {
    if (random.next() < SHARE) faults.push({ on: 'provisionConnect', nth, ...random.pick(CONNECT) });
    if (random.next() < SHARE) {
      // A server that has just created the device may not know it yet in all its nodes.
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
    cutIn(index, boot) {
      const cut = seededRandom(`fleet/${seed}/${index}/${boot}`);
      return boot <= 2 && cut.next() < CUT_SHARE / boot ? CUTS[cut.below(CUTS.length)] : undefined;
    },
  };
}
