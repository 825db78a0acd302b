import { isFinalState, isProvisionState, PROVISION_STATES } from '../../machines/provision.states.ts';
import { hostAndPort } from '../endpoint.ts';
import { isFailureCode } from '../failures/catalogue.ts';
import { type DeviceStatus, STATUS_EXIT } from './deviceStatus.ts';
import { isConditionCode } from './part.ts';

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Metrics of one name. All are gauges: the other types that would fit are unknown to the older of the two formats. */
interface Family {
  /** With its unit as the last word. */
  readonly name: string;
  readonly unit?: 'seconds';
  /** Without quotation marks, which the two formats escape in different ways. */
  readonly help: string;
  readonly samples: readonly Sample[];
}

const PREFIX = 'thermal_provision';
/** The first characters of all metrics. `status --out` replaces only a file that begins with them. */
export const METRICS_BEGINNING = `# HELP ${PREFIX}_`;

/** The state in metrics when there was no run. */
const NO_RUN = 'none';
/** A code or a state that this version does not know. Without it a file could make any number of series. */
const OTHER = 'OTHER';

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

function sampleLine(name: string, { labels = {}, value }: Sample): string {
  const shown = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${shown.length === 0 ? '' : `{${shown.join(',')}}`} ${value}`;
}

function familyLines({ name, unit, help, samples }: Family): readonly string[] {
  const whole = `${PREFIX}_${name}`;
  return [
    `# HELP ${whole} ${help}`,
    `# TYPE ${whole} gauge`,
    ...(unit === undefined ? [] : [`# UNIT ${whole} ${unit}`]),
    ...samples.map((sample) => sampleLine(whole, sample)),
  ];
}

/** A sample for each known value: 1 for the one that holds, 0 for the others. */
const oneOf = (label: string, known: readonly string[], held: string): readonly Sample[] =>
  known.map((value) => ({ labels: { [label]: value }, value: value === held ? 1 : 0 }));

const single = (value: number): readonly Sample[] => [{ value }];
const flag = (holds: boolean): readonly Sample[] => single(holds ? 1 : 0);

/** Seconds since the epoch; 0: no such time. */
function secondsOf(time: string | undefined): number {
  const ms = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(ms) ? 0 : ms / 1000;
}

const knownState = (name: string): string => (isProvisionState(name) ? name : OTHER);
const knownCode = (code: string): string => (isFailureCode(code) || isConditionCode(code) ? code : OTHER);

/** From the start of the run to its end, or until now. A clock that was set back makes no negative time. */
function runSeconds({ run, state, checkedAt }: DeviceStatus): number {
  if (run === null || state === null) return 0;
  const hasEnded = isProvisionState(state.name) && isFinalState(state.name);
  return Math.max(0, secondsOf(hasEnded ? state.since : checkedAt) - secondsOf(run.startedAt));
}

/** How long the run was in each state that it has entered, over all attempts. */
function stateSamples({ history }: DeviceStatus): readonly Sample[] {
  const seconds = new Map<string, number>();
  for (const { state, durationMs } of history) {
    const name = knownState(state);
    seconds.set(name, (seconds.get(name) ?? 0) + (durationMs ?? 0) / 1000);
  }
  return [...seconds].map(([state, value]) => ({ labels: { state }, value }));
}

function families(status: DeviceStatus, version: string): readonly Family[] {
  const { state, run, attempt, server } = status;
  const labels = {
    version,
    run_version: run?.agentVersion ?? '',
    device: status.device ?? '',
    server: server === null ? '' : hostAndPort(server),
  };
  const states = [NO_RUN, ...PROVISION_STATES, OTHER];
  const codes = [...new Set(status.errors.map(({ code }) => knownCode(code)))];
  return [
    {
      name: 'info',
      help: 'Versions of program and run, device and server; always 1.',
      samples: [{ labels, value: 1 }],
    },
    {
      name: 'checked_timestamp_seconds',
      unit: 'seconds',
      help: 'When these metrics were made.',
      samples: single(secondsOf(status.checkedAt)),
    },
    {
      name: 'status',
      help: '1 for the word that thermal-provision status prints.',
      samples: oneOf('status', Object.keys(STATUS_EXIT), status.status),
    },
    {
      name: 'state',
      help: '1 for the state of the latest run.',
      samples: oneOf('state', states, state === null ? NO_RUN : knownState(state.name)),
    },
    {
      name: 'errors',
      help: 'Errors of the device, as thermal-provision status lists them.',
      samples: single(status.errors.length),
    },
    {
      name: 'error',
      help: '1 for each failure code or condition among the errors.',
      samples: codes.map((code) => ({ labels: { code }, value: 1 })),
    },
    { name: 'warnings', help: 'Warnings of the device.', samples: single(status.warnings.length) },
    { name: 'requested', help: '1 if provision.txt asks for a run.', samples: flag(status.requested === true) },
    {
      name: 'configured',
      help: '1 if thermal_config.json names a device.',
      samples: flag(status.configuredDevice !== null),
    },
    {
      name: 'interrupted',
      help: '1 if the latest run is unfinished and no agent is running.',
      samples: flag(state?.interrupted === true),
    },
    { name: 'run_attempt', help: 'Attempt of the latest run; 0: none.', samples: single(attempt?.number ?? 0) },
    {
      name: 'run_start_timestamp_seconds',
      unit: 'seconds',
      help: 'When the latest run began; 0: never.',
      samples: single(secondsOf(run?.startedAt)),
    },
    {
      name: 'run_duration_seconds',
      unit: 'seconds',
      help: 'How long the latest run took or takes, interruptions included.',
      samples: single(runSeconds(status)),
    },
    {
      name: 'run_state_duration_seconds',
      unit: 'seconds',
      help: 'How long the latest run was in each state that it has left.',
      samples: stateSamples(status),
    },
  ];
}

/**
 * The status as metrics, in a text that is both OpenMetrics 1.0 and the text format 0.0.4 of node_exporter's textfile
 * collector, which takes UNIT and EOF for comments.
 * @param version of this program
 */
export const openMetrics = (status: DeviceStatus, version: string): string =>
  `${families(status, version)
    .filter(({ samples }) => samples.length > 0)
    .flatMap(familyLines)
    .join('\n')}\n# EOF\n`;
