import { vi } from 'vitest';
import type { ProvisionState } from '../../machines/provision.states.ts';
import type { DevicePaths } from '../../src/device/paths.ts';
import { runAgent } from '../../src/provision/agent.ts';
import type { AgentResult } from '../../src/provision/result.ts';
import { systemClock } from '../../src/time/clock.ts';
import { AGENT_VERSION } from '../support/agentRun.ts';

/** Late enough that the agent waits for the disk. */
export const MOMENT_MS = 100;
/** While the disk is stuck, each step of the agent's timers takes two milliseconds. */
const STEP_MS = 50;

interface Ending extends AgentResult {
  /** From the first call of `end.begins()` on. */
  readonly tookMs: number;
  readonly events: readonly string[];
  /** Messages of the log. */
  readonly said: readonly string[];
  readonly states: readonly ProvisionState[];
}

interface End {
  /** The disk is stuck: from now on the agent's timers are fast, because only they can end a wait. */
  begins(): void;
  /** Aborts the signal, a moment later. */
  abort(): void;
  /** For the agent, its time limit has passed. */
  passTime(ms: number): void;
}

/** One start of the agent with the test's time and signal. */
export async function runToEnd(
  paths: DevicePaths,
  onState: (state: ProvisionState, end: End) => void,
): Promise<Ending> {
  const controller = new AbortController();
  const real = systemClock();
  const events: string[] = [];
  const said: string[] = [];
  const states: ProvisionState[] = [];
  let ahead = 0;
  let tookMs = 0;
  let stepping: NodeJS.Timeout | undefined;
  const end: End = {
    begins: () => {
      stepping ??= setInterval(() => {
        tookMs += STEP_MS;
        vi.advanceTimersByTime(STEP_MS);
      }, 2);
    },
    abort: () => {
      setTimeout(() => controller.abort(), MOMENT_MS);
    },
    passTime: (ms) => {
      ahead += ms;
    },
  };
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
  const result = await runAgent({
    paths,
    agentVersion: AGENT_VERSION,
    boardId: 'board-1',
    signal: controller.signal,
    clock: { now: () => real.now() + ahead, monotonic: () => real.monotonic() + ahead },
    sink: ({ event, message }) => {
      events.push(event);
      said.push(message);
    },
    onState: (state) => {
      states.push(state);
      onState(state, end);
    },
  }).finally(() => {
    clearInterval(stepping);
    vi.useRealTimers();
  });
  return { ...result, events, said, states, tookMs };
}
