import type { StatelyInspectionEvent } from '@statelyai/inspect';
import { provisionMachine } from '../../machines/provision.machine.ts';
import { telemetryMachine } from '../../machines/telemetry.machine.ts';
import { type AllowList, onlyAllowed, WITHHELD } from './allowList.ts';
import {
  EFFECT_ERROR,
  PROVISION_CONTEXT,
  PROVISION_EFFECTS,
  PROVISION_INPUT,
  TELEMETRY_CONTEXT,
  TELEMETRY_ERROR,
  TELEMETRY_INPUT,
  TELEMETRY_OUTPUTS,
} from './redactedShapes.ts';

/** The parts of one kind of actor that may be shown. */
interface ActorKind {
  readonly name: string;
  readonly definition: string;
  readonly context: AllowList;
  readonly input: AllowList;
  readonly output: AllowList;
  readonly error: AllowList;
}

/** Shows no field of a value. */
const NOTHING: AllowList = {};

/** The source of a chart, without the implementations added at run time. A function is shown by its name. */
const definitionOf = (config: unknown): string =>
  JSON.stringify(config, (_key, value: unknown) => (typeof value === 'function' ? { type: value.name } : value));

const CHARTS: Readonly<Record<string, ActorKind>> = {
  provision: {
    name: 'provision',
    definition: definitionOf(provisionMachine.config),
    context: PROVISION_CONTEXT,
    input: PROVISION_INPUT,
    output: NOTHING,
    error: NOTHING,
  },
  telemetry: {
    name: 'telemetry',
    definition: definitionOf(telemetryMachine.config),
    context: TELEMETRY_CONTEXT,
    input: TELEMETRY_INPUT,
    output: NOTHING,
    error: NOTHING,
  },
};

const effectKind = (name: string, input: AllowList, output: AllowList, error: AllowList): ActorKind => ({
  name,
  definition: JSON.stringify({ id: name }),
  context: NOTHING,
  input,
  output,
  error,
});

const UNKNOWN = effectKind('actor', NOTHING, NOTHING, NOTHING);
const isOwn = <Key extends string>(record: Readonly<Record<Key, unknown>>, key: string): key is Key =>
  Object.hasOwn(record, key);

/** Identifiers of the effects in normal operation, such as `0.telemetry.publishing.sending`. */
const TELEMETRY_ACTOR = /^\d+\.telemetry\.(?:[a-z]+\.)?([a-z]+)$/;

function kindOf(name: string): ActorKind {
  if (isOwn(CHARTS, name)) return CHARTS[name] ?? UNKNOWN;
  if (isOwn(PROVISION_EFFECTS, name)) {
    const { input, output } = PROVISION_EFFECTS[name];
    return effectKind(name, input, output, EFFECT_ERROR);
  }
  const state = TELEMETRY_ACTOR.exec(name)?.[1];
  return state === undefined
    ? UNKNOWN
    : effectKind(name, NOTHING, TELEMETRY_OUTPUTS[state] ?? NOTHING, TELEMETRY_ERROR);
}

/** Normal operation starts an actor for each publication, so the oldest actors are forgotten. */
const MAX_ACTORS = 500;
const ID = /^[\w:.-]{1,64}$/;
const id = (value: string | null | undefined): string | undefined =>
  typeof value === 'string' && ID.test(value) ? value : undefined;

/** Event types of the charts and of xstate. Any other type could contain a secret. */
const EVENT_TYPE =
  /^(?:RESUME|TIME_UP|STOP|xstate\.(?:init|stop|promise\.(?:resolve|reject)|(?:done|error|after)\.[\w.-]{1,120}))$/;
const ENDED = /^xstate\.(?:done|error)\.actor\.(.+)$/;

/** Fields of the charts' own events. */
const OWN_EVENTS: Readonly<Record<string, AllowList>> = {
  RESUME: { at: true, trigger: { inode: true, mtimeNs: true }, settingsDigest: true },
  TIME_UP: { at: true },
};

interface EventBase {
  readonly rootId: string | undefined;
  readonly sessionId: string;
  /** ms since the epoch, as text. */
  readonly createdAt: string;
  readonly id: string | null;
  readonly _version: string;
}

export interface ShownEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface ShownSnapshot {
  readonly status: (typeof STATUS)[number];
  readonly value: unknown;
  readonly context: unknown;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: unknown;
}

/** An event for an inspector: the Stately inspector's protocol with the allowed fields only. */
export type RedactedEvent = EventBase &
  (
    | {
        readonly type: '@xstate.actor';
        readonly name: string;
        readonly definition: string;
        readonly parentId: string | undefined;
        readonly snapshot: ShownSnapshot;
      }
    | { readonly type: '@xstate.event'; readonly sourceId: string | undefined; readonly event: ShownEvent }
    | { readonly type: '@xstate.snapshot'; readonly event: ShownEvent; readonly snapshot: ShownSnapshot }
  );

export type Redact = (event: StatelyInspectionEvent) => RedactedEvent;

const STATUS = ['active', 'done', 'error', 'stopped'] as const;

/**
 * Makes the function that redacts every event for an inspector. It copies only the fields that the charts' types declare,
 * also in inputs, outputs and errors. An allow-list can't miss a secret as a search could.
 */
export function createRedaction(): Redact {
  const kinds = new Map<string, ActorKind>();
  const known = (sessionId: string): ActorKind => kinds.get(sessionId) ?? UNKNOWN;

  const learn = (sessionId: string, name: string): ActorKind => {
    const kind = kindOf(name);
    kinds.set(sessionId, kind);
    const oldest = kinds.keys().next();
    // The actors of the charts are kept, because they live longest.
    if (kinds.size > MAX_ACTORS && oldest.done !== true) {
      const [forgotten = oldest.value] = [...kinds].find(([, { context }]) => context === NOTHING) ?? [];
      kinds.delete(forgotten);
    }
    return kind;
  };

  return (event) => {
    const base = {
      rootId: id(event.rootId),
      sessionId: id(event.sessionId) ?? WITHHELD,
      createdAt: event.createdAt,
      id: event.id,
      _version: event._version,
    };
    switch (event.type) {
      case '@xstate.actor': {
        const { name, definition, ...kind } = learn(event.sessionId, event.name);
        const snapshot = redactSnapshot(event.snapshot, kind);
        return { type: event.type, ...base, name, definition, parentId: id(event.parentId), snapshot };
      }
      case '@xstate.event': {
        const shown = redactEvent(event.event, known(event.sessionId));
        return { type: event.type, ...base, sourceId: id(event.sourceId), event: shown };
      }
      case '@xstate.snapshot': {
        const kind = known(event.sessionId);
        const shown = redactEvent(event.event, kind);
        return { type: event.type, ...base, event: shown, snapshot: redactSnapshot(event.snapshot, kind) };
      }
    }
  };
}

function redactSnapshot(
  snapshot: unknown,
  kind: Pick<ActorKind, 'context' | 'input' | 'output' | 'error'>,
): ShownSnapshot {
  const field = (name: string): unknown =>
    typeof snapshot === 'object' && snapshot !== null ? Reflect.get(snapshot, name) : undefined;
  const status = STATUS.find((known) => known === field('status')) ?? 'active';
  return {
    status,
    value: stateValue(field('value')),
    context: onlyAllowed(kind.context, field('context')),
    input: onlyAllowed(kind.input, field('input')),
    output: onlyAllowed(kind.output, field('output')),
    error: onlyAllowed(kind.error, field('error')),
  };
}

/** A state's name, or the names of nested states. */
function stateValue(value: unknown): unknown {
  if (value === undefined) return undefined;
  if (typeof value === 'string') return id(value) ?? WITHHELD;
  if (typeof value !== 'object' || value === null) return WITHHELD;
  return Object.fromEntries(Object.entries(value).map(([key, nested]) => [id(key) ?? WITHHELD, stateValue(nested)]));
}

/** @param kind of the actor that receives the event */
function redactEvent(event: object, kind: ActorKind): ShownEvent {
  const field = (name: string): unknown => Reflect.get(event, name);
  const type = String(field('type')).slice(0, 200);
  if (!EVENT_TYPE.test(type)) return { type: WITHHELD };
  const own = OWN_EVENTS[type];
  const sender = kindOf(ENDED.exec(type)?.[1] ?? '');
  return {
    type,
    ...(own === undefined ? {} : Object(onlyAllowed(own, event))),
    ...present('input', onlyAllowed(kind.input, field('input'))),
    ...present('data', onlyAllowed(type.endsWith('.reject') ? kind.error : kind.output, field('data'))),
    ...present('output', onlyAllowed(sender.output, field('output'))),
    ...present('error', onlyAllowed(sender.error, field('error'))),
  };
}

const present = (name: string, value: unknown): object => (value === undefined ? {} : { [name]: value });
