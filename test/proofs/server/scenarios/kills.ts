/** kill -9 at moments spread over the run: each state of a run gets the same number of kills. */

import { inParallel } from '../../certify/inParallel.ts';
import type { ServerProfile } from '../administration.ts';
import type { AgentEnd, Camera } from '../camera.ts';
import { check } from '../check.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

/** Starts without a kill until the run must have succeeded. */
const MAX_STARTS = 3;
/** Fewer kills than this share strike a working agent only if the suite is too slow. */
const MIN_STRUCK = 0.5;

interface Moment {
  readonly state: string;
  /** After the log line that says that the state is entered. */
  readonly delayMs: number;
}

/** The states of a run, with their durations. */
export function statesOf(end: AgentEnd): readonly { readonly state: string; readonly ms: number }[] {
  const entered = end.log.filter(({ event, state }) => event === 'state.entered' && state !== null);
  return entered
    .map(({ state, at }, index) => ({ state: state ?? '', ms: (entered[index + 1]?.at ?? end.endedAt) - at }))
    .filter(({ state }) => state !== 'provisioned');
}

/** Spreads moments evenly over the states, and within each state over its duration. */
export function spread(states: ReturnType<typeof statesOf>, count: number): readonly Moment[] {
  const perState = Math.ceil(count / states.length);
  return Array.from({ length: count }, (_, index) => {
    const { state, ms } = states[index % states.length] ?? { state: '', ms: 0 };
    return { state, delayMs: (ms * (Math.floor(index / states.length) + 0.5)) / perState };
  });
}

interface Trial {
  readonly camera: Camera;
  readonly prefix: string;
  readonly end: AgentEnd;
  /** Whether the kill struck a working agent. */
  readonly struck: boolean;
}

async function killed(camera: Camera, { state, delayMs }: Moment): Promise<AgentEnd> {
  let timer: NodeJS.Timeout | undefined;
  const agent = camera.start('run', (line) => {
    if (line.event !== 'state.entered' || line.state !== state) return;
    timer ??= setTimeout(() => agent.signal('SIGKILL'), delayMs);
  });
  const end = await agent.ended;
  clearTimeout(timer);
  return end;
}

async function trial(stage: Stage, profile: ServerProfile, moment: Moment, index: number): Promise<Trial> {
  const prefix = stage.name(`k${index}`);
  const camera = await stage.camera(profile, { prefix });
  let end = await killed(camera, moment);
  const struck = end.status === null;
  for (let starts = 0; end.status !== 0 && starts < MAX_STARTS; starts += 1) end = await camera.run();
  return { camera, prefix, end, struck };
}

export const KILLS: readonly Scenario[] = [
  {
    name: 'kills',
    limitSeconds: 900,
    async play(stage) {
      const { kills, workers, progress } = stage.options;
      const profile = await stage.profile();
      const first = await stage.camera(profile, { prefix: stage.name('unkilled') });
      const unkilled = await first.run();
      await stage.checkProvisioned(first, unkilled, profile);
      const moments = spread(statesOf(unkilled), kills);
      const trials = await inParallel(
        moments,
        workers,
        (moment, index) => trial(stage, profile, moment, index),
        (done) => done % 10 === 0 && progress(`${done} of ${kills} kills`),
      );
      for (const [index, { camera, end }] of trials.entries()) {
        const { state, delayMs } = moments[index] ?? { state: '', delayMs: 0 };
        await stage.checkProvisioned(camera, end, profile).catch((error: unknown) => {
          const why = error instanceof Error ? error.message : String(error);
          throw new Error(`killed ${delayMs.toFixed(1)} ms after entering ${state}: ${why}`);
        });
      }
      await stage.settledCount(kills + 1);
      const names = (await stage.devices()).map(({ name }) => name);
      for (const { prefix } of trials) {
        check(names.filter((name) => name.startsWith(`${prefix}-`)).length, 1, `devices of camera ${prefix}`);
      }
      const struck = trials.filter((one) => one.struck).length;
      if (struck < kills * MIN_STRUCK) throw new Error(`Only ${struck} of ${kills} kills struck a working agent`);
      return { devices: kills + 1, note: `${struck} of ${kills} kills struck a working agent` };
    },
  },
];
