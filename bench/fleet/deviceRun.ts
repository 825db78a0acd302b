import type { ProvisionState } from '../../machines/provision.states.ts';
import type { DevicePaths } from '../../src/device/paths.ts';
import { runAgent } from '../../src/provision/agent.ts';
import type { AgentOptions } from '../../src/provision/pass.ts';
import type { AgentResult } from '../../src/provision/result.ts';

/** The result of one device. */
export interface DeviceEnd {
  /** Time from the first start to the end of the last one, ms. */
  readonly ms: number;
  /** The outcome of the last start, or the code of its failure. */
  readonly end: string;
  /** Number of starts. */
  readonly boots: number;
  /** Pauses before a retry, over all starts. */
  readonly retries: number;
}

/** One start of the agent on a device folder. */
export type Boot = (index: number, boot: number) => Promise<{ readonly end: string; readonly retries: number }>;

/** Starts a device until it is provisioned, at most `boots` times. */
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
  /** The state in which this start is killed, like by a power failure; undefined: none. */
  readonly killIn?: (index: number, boot: number) => ProvisionState | undefined;
  /** Time without real pauses (tests). */
  readonly time?: () => Required<Pick<AgentOptions, 'clock' | 'chartClock'>>;
}

const endOf = ({ outcome, failure }: AgentResult): string => failure?.code ?? outcome;

/** Starts the agent within this process. */
export function bootsInProcess({ paths, killIn, time }: InProcess): Boot {
  return async (index, boot) => {
    const power = new AbortController();
    const killed = killIn?.(index, boot);
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
        if (state === killed) power.abort(new Error('killed by the fleet'));
      },
      ...time?.(),
    });
    return { end: endOf(result), retries };
  };
}
