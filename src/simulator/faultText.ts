/** The text form of a fault, for the command line: `POINT[#N[+]]=ACTION[:VALUE]`. */

import { Failure } from '../failures/failure.ts';
import type { ConnectAction, Fault, FaultPoint, MessageAction } from './faults.ts';
import { FAULT_POINTS, isConnectPoint } from './faults.ts';

const FORM = /^(?<point>[A-Za-z]+)(?:#(?<nth>[1-9]\d{0,8})(?<later>\+)?)?=(?<action>[A-Za-z]+)(?::(?<value>.*))?$/s;
const MAX_MS = 86_400_000;

const isFaultPoint = (text: string): text is FaultPoint => FAULT_POINTS.some((point) => point === text);

const usage = (fault: string, why: string): Failure => new Failure('USAGE', 'simulateFault', { fault, why });

/**
 * Reads one fault.
 * @throws Failure USAGE
 */
export function parseFault(text: string): Fault {
  const { point, nth, later, action = '', value } = FORM.exec(text)?.groups ?? {};
  if (point === undefined) throw usage(text, 'not of the form POINT[#N[+]]=ACTION[:VALUE]');
  if (!isFaultPoint(point)) throw usage(text, `unknown point ${point}; known: ${FAULT_POINTS.join(', ')}`);
  const occasion = nth === undefined ? {} : { nth: Number(nth), ...(later === undefined ? {} : { andLater: true }) };
  const refuse = (why: string): Failure => usage(text, why);
  return isConnectPoint(point)
    ? { on: point, ...occasion, ...connectAction(action, value, refuse) }
    : { on: point, ...occasion, ...messageAction(action, value, refuse) };
}

type Refuse = (why: string) => Failure;

function milliseconds(value: string, refuse: Refuse): number {
  const ms = Number(value);
  if (/^\d+$/.test(value) && ms <= MAX_MS) return ms;
  throw refuse(`"${value}" is not a number of milliseconds from 0 to ${MAX_MS}`);
}

const optionalMs = (value: string | undefined, refuse: Refuse): { ms?: number } =>
  value === undefined ? {} : { ms: milliseconds(value, refuse) };

function connectAction(action: string, value: string | undefined, refuse: Refuse): ConnectAction {
  switch (action) {
    case 'stallConnack':
    case 'acceptThenClose':
      return { action, ...optionalMs(value, refuse) };
    case 'refuse': {
      const code = Number(value);
      if (code === 2 || code === 3 || code === 4 || code === 5) return { action, code };
      throw refuse('refuse needs a CONNACK code: 2, 3, 4 or 5');
    }
    case 'close':
      requireNoValue(action, value, refuse);
      return { action };
    default:
      throw refuse(`a connect point has no action "${action}"`);
  }
}

function messageAction(action: string, value: string | undefined, refuse: Refuse): MessageAction {
  switch (action) {
    case 'silenceThenPubackAndClose':
      return { action, ...optionalMs(value, refuse) };
    case 'delay':
      return { action, ms: milliseconds(value ?? '', refuse) };
    case 'answer':
      if (value === undefined) throw refuse('answer needs a text');
      return { action, payload: value };
    case 'answerOnOtherTopic':
      return value === undefined ? { action } : { action, topic: value };
    case 'close':
    case 'silence':
    case 'dropAnswer':
    case 'dropAnswerAndClose':
    case 'pubackOnly':
    case 'malformedAnswer':
    case 'duplicateAnswer':
    case 'answerThenClose':
      requireNoValue(action, value, refuse);
      return { action };
    default:
      throw refuse(`a message point has no action "${action}"`);
  }
}

function requireNoValue(action: string, value: string | undefined, refuse: Refuse): void {
  if (value !== undefined) throw refuse(`${action} takes no value`);
}
