import { type DeviceStatus, STATUS_EXIT, type StatusWord } from '../status/deviceStatus.ts';
import { type Camera, cameraOf, sharedStrings } from './camera.ts';

/** Why an input is not counted as a camera. Only a `foreign` one can't hide a camera: another file, another program. */
export const REFUSALS = ['unreadable', 'empty', 'damaged', 'too large', 'newer', 'foreign'] as const;
export type Refusal = (typeof REFUSALS)[number];

/** The most cameras that are counted, and the most refused inputs that are named. */
export const MAX_CAMERAS = 200_000;
const MAX_NAMED = 10_000;

/** An input that is not counted. Its content is never shown, because it may hold a secret. */
export interface Refused {
  readonly source: string;
  readonly refusal: Refusal;
  readonly why: string;
}

/** The cameras that were found. */
export interface Fleet {
  /** The newest document of each camera, those that need somebody first. */
  readonly cameras: readonly Camera[];
  /** Number of older documents of the same cameras. */
  readonly older: number;
  readonly refused: readonly Refused[];
  /** Also counts refused inputs that are not in `refused`. */
  readonly refusals: Readonly<Record<Refusal, number>>;
}

/** A document as it was found. */
export interface Found {
  readonly status: DeviceStatus;
  readonly source: string;
  /** Name of its file or folder in a collection; undefined: one of several documents, or not part of a collection. */
  readonly entry: string | undefined;
  /** ms since the epoch */
  readonly seenAt: number | null;
}

export interface FleetCount {
  add(found: Found): void;
  refuse(refusal: Refusal, source: string, why: string): void;
  result(): Fleet;
}

/** The status words in the order of tables and lists: what needs somebody is first. */
export const STATUS_ORDER: readonly StatusWord[] = ['error', 'degraded', 'running', 'not started', 'done'];
export const severityOf = (word: StatusWord): number => STATUS_ORDER.indexOf(word);

/**
 * What two documents of one camera have in common. A device name without a run may be the same on every new camera, and
 * a name that the server refused as taken belongs to another device. In doubt a camera counts twice: it is never hidden.
 */
function keyOf({ status, source, entry }: Found, server: string | null): string {
  const { device, run, errors } = status;
  if (run === null)
    return entry === undefined || status.status !== 'not started' ? `source ${source}` : `entry ${entry}`;
  if (device === null || errors.some(({ code }) => code === 'DEVICE_NAME_TAKEN')) return `run ${run.id}`;
  return `device ${device} ${server}`;
}

/**
 * The run of a document without a device on the server. A later run may have another name, and its log names this run.
 * The log of a device can't say as much: a cloned card has the log of the card that it was made from.
 */
const replaceableRun = ({ onServer, run }: DeviceStatus): string | undefined =>
  onServer.kind === 'no device' ? run?.id : undefined;

const isOlder = (one: number | null, other: number | null): boolean =>
  (one ?? Number.NEGATIVE_INFINITY) < (other ?? Number.NEGATIVE_INFINITY);

/** Counts the cameras of a fleet. It keeps a short summary of each. */
export function countFleet(): FleetCount {
  const share = sharedStrings();
  const cameras = new Map<string, { readonly camera: Camera; readonly run: string | undefined }>();
  /** The newest time at which a document or the log in it names a run. */
  const lastNamed = new Map<string, number>();
  const refused: Refused[] = [];
  const refusals = { unreadable: 0, empty: 0, damaged: 0, 'too large': 0, newer: 0, foreign: 0 };
  let older = 0;

  function refuse(refusal: Refusal, source: string, why: string): void {
    refusals[refusal] += 1;
    if (refused.length < MAX_NAMED) refused.push({ source, refusal, why });
  }

  function noteRuns({ status: { run, events }, seenAt }: Found): void {
    if (seenAt === null) return;
    for (const runId of [run?.id ?? null, ...events.map((event) => event.runId)]) {
      if (runId !== null && (lastNamed.get(runId) ?? seenAt) <= seenAt) lastNamed.set(runId, seenAt);
    }
  }

  /** Whether a newer document names the run of this one, so that it is of the same camera. */
  const isReplaced = (run: string | undefined, { seenAt }: Camera): boolean =>
    run !== undefined && isOlder(seenAt, lastNamed.get(run) ?? seenAt);

  return {
    refuse,
    add(found) {
      const camera = cameraOf(found.status, found.source, found.seenAt, share);
      const key = keyOf(found, camera.server);
      const known = cameras.get(key);
      if (known === undefined && cameras.size >= MAX_CAMERAS) {
        refuse('too large', found.source, `only the first ${MAX_CAMERAS} cameras are counted`);
        return;
      }
      noteRuns(found);
      if (known !== undefined) older += 1;
      if (known === undefined || !isOlder(camera.seenAt, known.camera.seenAt)) {
        cameras.set(key, { camera, run: replaceableRun(found.status) });
      }
    },
    result() {
      const current = [...cameras.values()].filter(({ run, camera }) => !isReplaced(run, camera));
      const rank = ({ status }: Camera): number => severityOf(status);
      const collator = new Intl.Collator('en', { numeric: true });
      return {
        cameras: current
          .map(({ camera }) => camera)
          .sort((one, other) => rank(one) - rank(other) || collator.compare(one.name, other.name)),
        older: older + cameras.size - current.length,
        refused: refused.toSorted((one, other) => collator.compare(one.source, other.source)),
        refusals: { ...refusals },
      };
    },
  };
}

/** Exit status of `status` for the worst camera. An input that may hide a camera counts as an error. */
export function fleetExit({ cameras, refusals }: Fleet): number {
  const { foreign, ...hiding } = refusals;
  const words = new Set(cameras.map(({ status }) => status));
  const isIncomplete = cameras.length === 0 || Object.values(hiding).some((count) => count > 0);
  if (isIncomplete || words.has('error')) return STATUS_EXIT.error;
  return words.has('degraded') ? STATUS_EXIT.degraded : STATUS_EXIT.done;
}
