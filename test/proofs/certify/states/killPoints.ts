/** The points at which the recorded runs are killed. */

import type { Recording } from './recordings.ts';
import type { Scenario } from './scenarios.ts';
import type { Kill } from './steering.ts';

export interface KillPoint {
  readonly scenario: Scenario;
  readonly kill: Kill;
  /** A moment of the chart, as text: equal in all scenarios. */
  readonly moment: string;
}

/** The only final state that is never saved. */
const UNSAVED = 'notRequested';
/** A shorter pause ends before its state is saved, so no kill after the save is possible in it. */
const SHORTEST_PAUSE_SAVED_MS = 500;

/** The points of a recording: every log line, each active state, and the save of the final state. */
function pointsOf({ scenario, lines, steps }: Recording, finalStates: readonly string[]): readonly KillPoint[] {
  return lines.flatMap((line, index): readonly KillPoint[] => {
    const number = index + 1;
    const step = steps.findLast((entered) => entered.line <= number);
    const way = step === undefined ? 'start' : `${step.edges.join(', ')} (${step.to})`;
    const earlier = lines.slice(step?.line ?? 0, index).filter(({ event }) => event === line.event).length;
    const moment = `${way} ${line.event} ${earlier}`;
    const point: KillPoint = { scenario, kill: { at: 'line', where: { line: number } }, moment };
    if (step?.line !== number) return [point];
    if (!finalStates.includes(step.to)) {
      if (line.ms !== undefined && line.ms < SHORTEST_PAUSE_SAVED_MS) return [point];
      return [point, { scenario, kill: { at: 'held', where: { line: number } }, moment: `${moment} held` }];
    }
    if (step.to === UNSAVED) return [point];
    const saves = (['saving', 'saved'] as const).map((at) => ({
      scenario,
      kill: { at, state: step.to },
      moment: `${moment} ${at}`,
    }));
    return [...saves, point];
  });
}

/**
 * @param full every point of every scenario; otherwise each moment once, in the first scenario with it, and each state
 * in the scenarios of other credentials than access tokens
 */
export function killPoints(
  recordings: readonly Recording[],
  finalStates: readonly string[],
  full: boolean,
): readonly KillPoint[] {
  const known = new Set<string>();
  return recordings
    .flatMap((recording) => pointsOf(recording, finalStates))
    .filter(({ scenario, kill, moment }) => {
      if (scenario.kind !== undefined) return full || kill.at !== 'line';
      const isNew = !known.has(moment);
      known.add(moment);
      return full || isNew;
    });
}

/** A kill as text, for repeating it. */
export const killText = ({ scenario, kill, moment }: KillPoint): string =>
  `${scenario.name}: killed ${'where' in kill ? `${kill.at === 'held' ? 'in the state of' : 'at'} line ${kill.where.line}` : `${kill.at} ${kill.state}`} (${moment})`;
