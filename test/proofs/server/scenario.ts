import type { Stage } from './stage.ts';

export interface Scenario {
  readonly name: string;
  /** Seconds after which the scenario fails. */
  readonly limitSeconds: number;
  /** Why the scenario can't be played on this server. */
  leftOut?(stage: Stage): string | undefined;
  /** Plays the scenario. @throws what is wrong */
  play(stage: Stage): Promise<Played>;
}

export interface Played {
  /** Devices that its profiles must have afterwards. */
  readonly devices: number;
  /** What was seen, for the reader of the table. */
  readonly note?: string;
}
