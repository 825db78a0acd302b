/** Plays one scenario: its time limit, the count of its devices, and its removal. */

import { LATE, within } from '../../../src/time/within.ts';
import { Administration } from './administration.ts';
import { check } from './check.ts';
import { RestClient } from './restClient.ts';
import type { Result } from './results.ts';
import type { Scenario } from './scenario.ts';
import { Stage, type StageOptions } from './stage.ts';

export interface PlayOptions extends StageOptions {
  /** Name of the server in the results. */
  readonly label: string;
  /** Whether profiles and devices stay on the server. */
  readonly keep: boolean;
  /** Ends the scenario early. What it made is removed. */
  readonly signal: AbortSignal;
}

const CLEAR_LIMIT_SECONDS = 120;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Plays the scenario and removes what it has made. Nothing is thrown: each problem is a failed result. */
export async function playScenario(scenario: Scenario, options: PlayOptions): Promise<Result> {
  const { label, rest, keep, signal } = options;
  const startedAt = performance.now();
  const ending = new AbortController();
  const clearing = new AbortController();
  const progress = (text: string): void => {
    if (!ending.signal.aborted) options.progress(text);
  };
  const stage = new Stage({ ...options, progress }, new Administration(new RestClient(rest, ending.signal)));
  const result = (outcome: Result['outcome'], devices: number | null, reason: string | null): Result => {
    const seconds = Math.round(performance.now() - startedAt) / 1000;
    return { server: label, scenario: scenario.name, outcome, seconds, devices, reason };
  };
  let devices: number | null = null;
  const playAndCount = async (): Promise<Result> => {
    const leftOut = scenario.leftOut?.(stage);
    if (leftOut !== undefined) return result('left out', null, leftOut);
    const played = await scenario.play(stage);
    devices = await stage.settledCount(played.devices);
    check(devices, played.devices, 'devices in the profiles');
    return result('passed', devices, played.note ?? null);
  };
  const outcome = await limited(scenario.limitSeconds, playAndCount, signal).catch((error: unknown) =>
    result('failed', devices, messageOf(error)),
  );
  // The signal of a limit does not end the calls of a scenario that is over.
  ending.abort(new Error('The scenario has ended'));
  const cleared = async (): Promise<void> => {
    await stage.stop();
    if (!keep) await stage.clear(new Administration(new RestClient(rest, clearing.signal)));
  };
  try {
    await limited(CLEAR_LIMIT_SECONDS, cleared);
  } catch (error) {
    const reason = `${outcome.reason ?? ''} The profiles acceptance-${options.run}-… stay: ${messageOf(error)}`.trim();
    return result('failed', devices, reason);
  } finally {
    clearing.abort(new Error('The clean-up has ended'));
  }
  return outcome;
}

/** @throws when the work takes longer, and the reason of the signal; nobody waits for the work then */
async function limited<T>(seconds: number, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const end = await within(seconds * 1000, work, signal);
  if (end === LATE) throw new Error(`not finished within ${seconds} s`);
  return end;
}
