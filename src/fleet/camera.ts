import { hostAndPort } from '../endpoint.ts';
import { workedMs } from '../history/runHistory.ts';
import type { DeviceStatus, StatusWord } from '../status/deviceStatus.ts';

/** What the fleet keeps of a status document: less than 1 kB. */
export interface Camera {
  /** Name for people: the device, or the source. */
  readonly name: string;
  /** Name of the device; null: it has none yet. */
  readonly device: string | null;
  /** The file or folder, with the line in a file of several documents. */
  readonly source: string;
  readonly status: StatusWord;
  /** What is wrong, of a camera that needs somebody; else null. */
  readonly problem: CameraProblem | null;
  /** host:port */
  readonly server: string | null;
  /** When its state was read or last recorded, ms since the epoch; null: unknown. */
  readonly seenAt: number | null;
  /** State of the chart. */
  readonly state: string | null;
  /** When the state was entered, ms since the epoch. */
  readonly since: number | null;
  readonly runId: string | null;
  /** Working time of the latest run, in ms. */
  readonly durationMs: number | null;
  readonly agentVersion: string | null;
}

export interface CameraProblem {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** The hint without the names of this camera: equal for all cameras with this cause. */
  readonly pattern: string;
}

/** The status words of a camera that needs somebody. */
const NEEDY: readonly StatusWord[] = ['error', 'degraded'];

const MAX_SHARED = 10_000;

/**
 * Makes a function that returns one string for all equal ones. JSON.parse makes a new string for each, and thousands of
 * cameras share server, version, hint and code.
 */
export function sharedStrings(): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    if (known.size < MAX_SHARED) known.set(text, text);
    return text;
  };
}

/** ms since the epoch; null: not a time. */
export function timeOf(text: string | undefined): number | null {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? null : time;
}

/** The hint with placeholders for what differs from camera to camera. */
function patternOf(hint: string, { device, configuredDevice, stateFolder, deviceFolder }: DeviceStatus): string {
  const own = [
    [device, '<device>'],
    [configuredDevice, '<device>'],
    [stateFolder, '<state folder>'],
    [deviceFolder, '<device folder>'],
  ] as const;
  return own.reduce(
    (text, [value, placeholder]) => (value === null || value === '' ? text : text.replaceAll(value, placeholder)),
    hint,
  );
}

function problemOf(status: DeviceStatus, share: (text: string) => string): CameraProblem | null {
  const [error] = status.errors;
  if (!NEEDY.includes(status.status)) return null;
  if (error === undefined) return { code: '(no code)', message: '', hint: '', pattern: '' };
  const { code, message, hint } = error;
  return {
    code: share(code),
    message: share(message),
    hint: share(hint),
    pattern: share(patternOf(hint, status)),
  };
}

/**
 * Summarizes a status document.
 * @param seenAt when the state was read on the camera or last recorded there, ms since the epoch
 * @param share from `sharedStrings`
 */
export function cameraOf(
  status: DeviceStatus,
  source: string,
  seenAt: number | null,
  share: (text: string) => string,
): Camera {
  const { device, configuredDevice, server, state, run, history } = status;
  return {
    name: device ?? configuredDevice ?? source,
    device,
    source,
    status: status.status,
    problem: problemOf(status, share),
    server: server === null ? null : share(hostAndPort(server)),
    seenAt,
    state: state === null ? null : share(state.name),
    since: timeOf(state?.since),
    runId: run?.id ?? null,
    durationMs: history.length === 0 ? null : workedMs(history),
    agentVersion: run === null ? null : share(run.agentVersion),
  };
}
