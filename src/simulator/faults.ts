/** Faults as data: what goes wrong, where, the how-manieth time. */

/** Where a fault strikes. The n-th time is counted for each point over the simulator's life, over all clients. */
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

/** CONNACK codes of MQTT 3.1.1 section 3.2.2.3 that refuse; 1 is left to the broker. */
export type RefusalCode = 2 | 3 | 4 | 5;

/** What happens to a CONNECT. */
export type ConnectAction =
  /** No CONNACK, the connection is closed. */
  | { readonly action: 'close' }
  /** No CONNACK for `ms`, or, without it, ever. */
  | { readonly action: 'stallConnack'; readonly ms?: number }
  | { readonly action: 'refuse'; readonly code: RefusalCode }
  /** CONNACK 0, then a close after `ms` (default 0). */
  | { readonly action: 'acceptThenClose'; readonly ms?: number };

/** What happens to a PUBLISH; the ones about answers leave telemetry and attributes, which have none, as they are. */
export type MessageAction =
  /** Nothing is committed, no PUBACK, the connection is closed. */
  | { readonly action: 'close' }
  /** Nothing is committed, no PUBACK, no answer, the connection stays. */
  | { readonly action: 'silence' }
  /** The back end fails: nothing is committed; after `ms` (default: `backEndTimeoutMs`) PUBACK and close. */
  | { readonly action: 'silenceThenPubackAndClose'; readonly ms?: number }
  /** Committed, but neither PUBACK nor answer. */
  | { readonly action: 'dropAnswer' }
  /** Committed, then closed without PUBACK and answer. */
  | { readonly action: 'dropAnswerAndClose' }
  /** Committed and PUBACK, but no answer. */
  | { readonly action: 'pubackOnly' }
  /** PUBACK and answer come `ms` later than usual. */
  | { readonly action: 'delay'; readonly ms: number }
  /** The answer is cut off in the middle: no JSON. */
  | { readonly action: 'malformedAnswer' }
  /** This payload instead of the answer. */
  | { readonly action: 'answer'; readonly payload: string | Uint8Array }
  /** The answer comes twice. */
  | { readonly action: 'duplicateAnswer' }
  /** The answer comes on this topic (default: the answer's topic with `/other` behind it). */
  | { readonly action: 'answerOnOtherTopic'; readonly topic?: string }
  /** PUBACK and answer, then a close at once instead of much later. */
  | { readonly action: 'answerThenClose' };

interface Occasion {
  /** 1-based; absent: every time. */
  readonly nth?: number;
  /** From the nth time on. */
  readonly andLater?: boolean;
}

export type ConnectFault = Occasion & { readonly on: ConnectPoint } & ConnectAction;
export type MessageFault = Occasion & { readonly on: MessagePoint } & MessageAction;
export type Fault = ConnectFault | MessageFault;

const strikes = (fault: Fault, on: FaultPoint, count: number): boolean =>
  fault.on === on && (fault.nth === undefined || (fault.andLater === true ? count >= fault.nth : count === fault.nth));

/** Counts the occasions and finds the fault for each: the first of the list that applies. */
export class FaultScript {
  readonly #connect: ConnectFault[] = [];
  readonly #message: MessageFault[] = [];
  readonly #counts = new Map<FaultPoint, number>();
  readonly #onStruck: (fault: Fault, count: number) => void;

  /** @param onStruck called for each fault at the moment it applies, with the count of its point */
  constructor(faults: readonly Fault[], onStruck: (fault: Fault, count: number) => void = () => {}) {
    for (const fault of faults) this.add(fault);
    this.#onStruck = onStruck;
  }

  add(fault: Fault): void {
    if (isConnectFault(fault)) this.#connect.push(fault);
    else this.#message.push(fault);
  }

  /** @param kind the more special point of this CONNECT, counted beside `connect` */
  nextConnect(kind: ConnectPoint): ConnectFault | undefined {
    const any = this.#count('connect');
    const special = kind === 'connect' ? any : this.#count(kind);
    const found = this.#connect.find((fault) => strikes(fault, 'connect', any) || strikes(fault, kind, special));
    if (found !== undefined) this.#onStruck(found, found.on === 'connect' ? any : special);
    return found;
  }

  nextMessage(on: MessagePoint): MessageFault | undefined {
    const count = this.#count(on);
    const found = this.#message.find((fault) => strikes(fault, on, count));
    if (found !== undefined) this.#onStruck(found, count);
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
