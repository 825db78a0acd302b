import type { ProvisionState } from '../../machines/provision.states.ts';
import type { DevicePaths } from '../../src/device/paths.ts';
import { runAgent } from '../../src/provision/agent.ts';
import type { AgentOptions } from '../../src/provision/pass.ts';
import type { AgentResult } from '../../src/provision/result.ts';

/** What became of one device. */
export interface DeviceEnd {
  /** From its first start to the end of its last one, ms. */
  readonly ms: number;
  /** The outcome of the last start, or the code of its failure. */
  readonly end: string;
  /** How often it was started. */
  readonly boots: number;
  /** Pauses before another try, over all its starts. */
  readonly retries: number;
}

/** One start of the agent on a device folder. */
export type Boot = (index: number, boot: number) => Promise<{ readonly end: string; readonly retries: number }>;

/** Starts a device again until it is provisioned, `boots` times at most. */
export async function bootUntilProvisioned(start: Boot, index: number, boots: number): Promise<DeviceEnd> {
  const startedAt = performance.now();
  let retries = 0;
  for (let boot = 1; ; boot += 1) {
    const run = await start(index, boot);
    retries += run.retries;
    if (run.end !== 'provisioned' && boot < boots) continue;
    return { ms: performance.now() - startedAt, end: run.end, boots: boot, retries };
  }
}

interface InProcess {
  readonly paths: (index: number) => DevicePaths;
  /** The state in which this start is cut as a power loss would; undefined: none. */
  readonly cutIn?: (index: number, boot: number) => ProvisionState | undefined;
  /** Pauses that take no time (tests). */
  readonly time?: () => Required<Pick<AgentOptions, 'clock' | 'chartClock'>>;
}

const endOf = ({ outcome, failure }: AgentResult): string => failure?.code ?? outcome;

/** Starts of the agent within this process. */
export function bootsInProcess({ paths, cutIn, time }: InProcess): Boot {
  return async (index, boot) => {
    const power = new AbortController();
    const cut = cutIn?.(index, boot);
    let retries = 0;
    const result = await runAgent({
      paths: paths(index),
      agentVersion: 'fleet',
      boardId: `fleet-${index}`,
      sink: ({ event }) => {
        if (event === 'backoff.waiting') retries += 1;
      },
      signal: power.signal,
      onState: (state) => {
        if (state === cut) power.abort(new Error('cut by the fleet'));
      },
      ...time?.(),
    });
    return { end: endOf(result), retries };
  };
}
