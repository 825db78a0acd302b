import { CLIENT_EVENTS } from './events/clientEvents.ts';
import { RUN_EVENTS } from './events/runEvents.ts';

/**
 * The catalogue of log events: level, fields and meaning of each. A run uses only its types and never loads this file.
 * The names are a contract. A test compares the tables of events in docs/ with it.
 */
export const EVENTS = { ...RUN_EVENTS, ...CLIENT_EVENTS };
