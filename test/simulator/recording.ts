import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type { Credentials } from '../../src/simulator/credentials.ts';
import { type RecordedPacket, RecordedPeer } from './recordedPeer.ts';

/** The server's long time-outs are shortened by this factor. */
export const TIME_SCALE = 50;
/** Default of `mustComeMs`. */
const MUST_COME_MS = 10_000;
/** Milliseconds in which a packet that must not come would come. */
const MUST_NOT_COME_MS = 30;
/** Milliseconds by which a busy machine may be late. */
const LATE_MS = 2000;
/** A step of at least this many seconds waits for one of the server's time-outs. */
const LONG_STEP_S = 15;

interface Outcome {
  readonly received: readonly RecordedPacket[];
  /** How long after the step's beginning the server closed the connection. */
  readonly closed?: string;
}

interface Step extends Outcome {
  readonly sent: string;
  readonly peer: string;
  /** Hex, one string for each write. */
  readonly bytes: readonly string[];
  /** Seconds between the writes. */
  readonly gap: number;
  /** Seconds that the recording waited if nothing came. */
  readonly silent: number;
  readonly others?: Readonly<Record<string, Outcome>>;
}

export interface Scenario {
  readonly scenario: string;
  readonly profile: ProfileName;
  /** What must have been provisioned before on the profile `allow`. */
  readonly devices: readonly Readonly<Record<string, string>>[];
  readonly steps: readonly Step[];
}

export const PROFILE_NAMES = ['allow', 'check', 'disabled'] as const;
export type ProfileName = (typeof PROFILE_NAMES)[number];

export interface Recording {
  readonly thingsboard: string;
  /** Prefix of the names. */
  readonly run: string;
  readonly profiles: Readonly<
    Record<
      ProfileName,
      { key: string; secret: string; strategy: 'ALLOW_CREATE_NEW_DEVICES' | 'CHECK_PRE_PROVISIONED_DEVICES' }
    >
  >;
  /** Devices that an operator made beforehand for the profile `check`. */
  readonly preProvisioned: readonly { readonly name: string; readonly token: string }[];
  readonly scenarios: readonly Scenario[];
}

/** Reads what a real server answered. @param version of ThingsBoard */
export function readRecording(version: string): Recording {
  const bytes = gunzipSync(readFileSync(new URL(`recordings/${version}.jsonl.gz`, import.meta.url)));
  const [head, ...scenarios] = bytes
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { ...head, scenarios };
}

export function credentialsOf(device: Readonly<Record<string, string>>): Credentials {
  const { token, clientId, username, password } = device;
  if (token !== undefined) return { type: 'ACCESS_TOKEN', token };
  return {
    type: 'MQTT_BASIC',
    ...(clientId === undefined ? {} : { clientId }),
    ...(username === undefined ? {} : { userName: username }),
    ...(password === undefined ? {} : { password }),
  };
}

/**
 * Plays a scenario and compares. It waits for what was recorded, and a moment for what was not.
 * @param port of the simulator that has the scenario's profile
 * @param mustComeMs milliseconds for a packet that must come
 * @returns each difference as a text; empty if the simulator does what the server did
 */
export async function playScenario(
  scenario: Scenario,
  run: string,
  port: number,
  mustComeMs = MUST_COME_MS,
): Promise<readonly string[]> {
  const peers = new Map<string, RecordedPeer>();
  const told = new Set<RecordedPeer>();
  const differences: string[] = [];
  const normalised = normaliser(scenario, run);

  const outcome = (peer: RecordedPeer, startedAt: number, recorded: Outcome | undefined): Outcome => {
    const received = normalised(peer.take());
    if (peer.closedAt === undefined || told.has(peer)) return { received };
    told.add(peer);
    const ms = peer.closedAt - startedAt;
    const closed = recorded?.closed;
    return { received, closed: closed !== undefined && closesAgree(closed, ms) ? closed : `${Math.round(ms)} ms` };
  };

  for (const step of scenario.steps) {
    const peer = peers.get(step.peer) ?? (await RecordedPeer.open(port));
    peers.set(step.peer, peer);
    const startedAt = performance.now();
    for (const [index, hex] of step.bytes.entries()) {
      if (index > 0) await sleep(step.gap * 1000);
      peer.send(Buffer.from(hex, 'hex'));
    }
    const long = step.silent >= LONG_STEP_S;
    const limitMs = mustComeMs + (long ? (step.silent * 1000) / TIME_SCALE : 0);
    await peer.wait(step.received.length, step.closed !== undefined, limitMs);
    const silence = step.received.length === 0 && step.closed === undefined && step.bytes.length === 0;
    await sleep(silence ? (step.silent * 1000) / TIME_SCALE : MUST_NOT_COME_MS);

    const seen: Record<string, Outcome> = {};
    const main = outcome(peer, startedAt, step);
    for (const [name, other] of peers) {
      if (other === peer) continue;
      const its = outcome(other, startedAt, step.others?.[name]);
      if (its.received.length > 0 || its.closed !== undefined) seen[name] = its;
    }
    const others = Object.keys(seen).length === 0 ? {} : { others: seen };
    const expected = text(step);
    const found = text({ ...main, ...others });
    if (found !== expected) differences.push(`${step.sent}: recorded ${expected}, found ${found}`);
  }
  for (const peer of peers.values()) peer.end();
  return differences;
}

/** With keys in one order. */
const text = ({ received, closed, others }: Pick<Step, 'received' | 'closed' | 'others'>): string =>
  JSON.stringify({ received: received.map((packet) => Object.entries(packet).sort()), closed, others });

const RANDOM = /(?=[A-Za-z0-9]{0,19}[A-Z])(?=[A-Za-z0-9]{0,19}[a-z])[A-Za-z0-9]{20}/g;

/** Names of the run become NAME, tokens that were sent TOKEN, and tokens that the server drew SERVERTOKEN. */
function normaliser({ steps, devices }: Scenario, run: string) {
  const sent = steps.map(({ bytes }) => Buffer.from(bytes.join(''), 'hex').toString('latin1'));
  const tokens = new Set([...sent, JSON.stringify(devices)].join(' ').match(RANDOM));
  const name = new RegExp(`${run}-[a-z]+\\d+`, 'g');
  const replaced = (value: string): string =>
    value
      .replace(name, 'NAME')
      .replace(RANDOM, (found) => (tokens.has(found) ? 'TOKEN' : found))
      .replace(/(?<="credentialsValue":")(\d{10}| +)(?=")/, 'ODDTOKEN')
      .replace(
        /(?<![A-Za-z0-9])(?=[A-Za-z0-9]*[A-Z])(?=[A-Za-z0-9]*[a-z])[A-Za-z0-9]{20}(?![A-Za-z0-9])/g,
        'SERVERTOKEN',
      );
  return (packets: readonly RecordedPacket[]): readonly RecordedPacket[] =>
    packets.map((packet) =>
      typeof packet.payload === 'string' ? { ...packet, payload: replaced(packet.payload) } : packet,
    );
}

/** From and to how many seconds after the step's beginning the real server closed the connection. */
const CLOSED_AFTER: Readonly<Record<string, readonly [number, number]>> = {
  '<1s': [0, 1],
  '8-14s': [8, 14],
  '14-45s': [14, 45],
  '58-70s': [58, 70],
};

/** Whether a close came when the recording has it. The time-outs are shortened, and a busy machine makes it late. */
function closesAgree(recorded: string, ms: number): boolean {
  const [from, to] = CLOSED_AFTER[recorded] ?? [Number.NaN, Number.NaN];
  return ms >= (from * 1000) / TIME_SCALE / 2 && ms <= (to * 1000) / TIME_SCALE + LATE_MS;
}
