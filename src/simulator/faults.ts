/** Faults as data: the point, the occasion and the action. */

/** The points at which a fault can occur. Occasions are counted per point, over all clients of the simulator. */
export const FAULT_POINTS = [
  'connect',
  'provisionConnect',
  'deviceConnect',
  'request',
  'attributeRequest',
  'telemetry',
  'attributes',
] as const;
export type FaultPoint = (typeof FAULT_POINTS)[number];

export type ConnectPoint = 'connect' | 'provisionConnect' | 'deviceConnect';
export type MessagePoint = Exclude<FaultPoint, ConnectPoint>;

/** CONNACK codes that refuse a connection (MQTT 3.1.1, section 3.2.2.3). Only the broker sends code 1. */
export type RefusalCode = 2 | 3 | 4 | 5;

/** What happens to a CONNECT. */
export type ConnectAction =
  /** No CONNACK, the connection is closed. */
  | { readonly action: 'close' }
  /** No CONNACK for `ms`; without `ms`, never. */
  | { readonly action: 'stallConnack'; readonly ms?: number }
  | { readonly action: 'refuse'; readonly code: RefusalCode }
  /** CONNACK 0, then a close after `ms` (default 0). */
  | { readonly action: 'acceptThenClose'; readonly ms?: number };

/** What happens to a PUBLISH. Actions on answers have no effect on telemetry and attributes, which have no answer. */
export type MessageAction =
  /** Nothing is committed, no PUBACK, the connection is closed. */
  | { readonly action: 'close' }
  /** Nothing is committed, no PUBACK, no answer, the connection stays open. */
  | { readonly action: 'silence' }
  /** The back end fails: nothing is committed; after `ms` (default: `backEndTimeoutMs`) PUBACK and close. */
  | { readonly action: 'silenceThenPubackAndClose'; readonly ms?: number }
  /** Committed, but no PUBACK and no answer. */
  | { readonly action: 'dropAnswer' }
  /** Committed, then the connection is closed without PUBACK and answer. */
  | { readonly action: 'dropAnswerAndClose' }
  /** Committed, PUBACK is sent, but no answer. */
  | { readonly action: 'pubackOnly' }
  /** PUBACK and answer come `ms` later than usual. */
  | { readonly action: 'delay'; readonly ms: number }
  /** Only the first half of the answer is sent, which is not valid JSON. */
  | { readonly action: 'malformedAnswer' }
  /** This payload is sent instead of the answer. */
  | { readonly action: 'answer'; readonly payload: string | Uint8Array }
  /** The answer is sent twice. */
  | { readonly action: 'duplicateAnswer' }
  /** The answer is sent on this topic (default: the answer's topic followed by `/other`). */
  | { readonly action: 'answerOnOtherTopic'; readonly topic?: string }
  /** PUBACK and answer are sent, then the connection is closed at once instead of much later. */
  | { readonly action: 'answerThenClose' };

interface Occasion {
  /** 1-based; absent: every time. */
  readonly nth?: number;
  /** Also every time after the nth. */
  readonly andLater?: boolean;
}

export type ConnectFault = Occasion & { readonly on: ConnectPoint } & ConnectAction;
export type MessageFault = Occasion & { readonly on: MessagePoint } & MessageAction;
export type Fault = ConnectFault | MessageFault;

const applies = (fault: Fault, on: FaultPoint, count: number): boolean =>
  fault.on === on && (fault.nth === undefined || (fault.andLater === true ? count >= fault.nth : count === fault.nth));

/** Counts the occasions and finds the fault for each: the first one in the list that applies. */
export class FaultScript {
  readonly #connect: ConnectFault[] = [];
  readonly #message: MessageFault[] = [];
  readonly #counts = new Map<FaultPoint, number>();
  readonly #onApplied: (fault: Fault, count: number) => void;

  /** @param onApplied called for each fault when it applies, with the count of its point */
  constructor(faults: readonly Fault[], onApplied: (fault: Fault, count: number) => void = () => {}) {
    for (const fault of faults) this.add(fault);
    this.#onApplied = onApplied;
  }

  add(fault: Fault): void {
    if (isConnectFault(fault)) this.#connect.push(fault);
    else this.#message.push(fault);
  }

  /** @param kind the specific point of this CONNECT, which is counted in addition to `connect` */
  nextConnect(kind: ConnectPoint): ConnectFault | undefined {
    const any = this.#count('connect');
    const special = kind === 'connect' ? any : this.#count(kind);
    const found = this.#connect.find((fault) => applies(fault, 'connect', any) || applies(fault, kind, special));
    if (found !== undefined) this.#onApplied(found, found.on === 'connect' ? any : special);
    return found;
  }

  nextMessage(on: MessagePoint): MessageFault | undefined {
    const count = this.#count(on);
    const found = this.#message.find((fault) => applies(fault, on, count));
    if (found !== undefined) this.#onApplied(found, count);
    return found;
  }

  #count(on: FaultPoint): number {
    const count = (this.#counts.get(on) ?? 0) + 1;
    this.#counts.set(on, count);
    return count;
  }
}

export const isConnectPoint = (point: FaultPoint): point is ConnectPoint =>
  point === 'connect' || point === 'provisionConnect' || point === 'deviceConnect';

const isConnectFault = (fault: Fault): fault is ConnectFault => isConnectPoint(fault.on);
