import type { SimulatorEvent } from '../../src/simulator/events.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts';
import type { AtEnd } from './atEnd.ts';

/** Their plain, URL-encoded, base64 and JSON forms all differ. */
export const DEVICE_KEY = 'k3y/of+the=profile&"1"';
export const DEVICE_SECRET = 's3cret/of+the=profile&"2"';

/** A simulated ThingsBoard that is closed after the test. */
export async function startServer(atEnd: AtEnd, options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ deviceKey: DEVICE_KEY, deviceSecret: DEVICE_SECRET, ...options });
  atEnd(() => simulator.close());
  return simulator;
}

/** Records a simulator's events, and can act on one of them. */
export interface EventWatch {
  readonly events: SimulatorEvent[];
  readonly onEvent: (event: SimulatorEvent) => void;
  /** Calls `act` synchronously at the nth event of a type. */
  when(type: SimulatorEvent['type'], act: () => void, nth?: number): void;
}

export function watchEvents(): EventWatch {
  const events: SimulatorEvent[] = [];
  const waiting: { type: SimulatorEvent['type']; nth: number; act: () => void }[] = [];
  return {
    events,
    onEvent: (event) => {
      events.push(event);
      const count = events.filter(({ type }) => type === event.type).length;
      for (const { type, nth, act } of waiting) if (type === event.type && nth === count) act();
    },
    when: (type, act, nth = 1) => {
      waiting.push({ type, nth, act });
    },
  };
}
