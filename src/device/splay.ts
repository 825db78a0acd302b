import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../log/log.ts';
import type { BoardIdentity } from './board.ts';

/** Pauses before the first contact with the server, once in a process, so that a site's devices do not all connect at once. */
export type Splay = (deviceName: string, signal: AbortSignal) => Promise<void>;

/**
 * Pause of this device in ms: at least 0, less than `seconds`, the same at each start, evenly spread over a fleet. A
 * board without an identity uses its device name, which stays the same until the run ends.
 */
export function splayMs({ serial, machine }: BoardIdentity, deviceName: string, seconds: number): number {
  const identity = serial ?? machine ?? deviceName;
  const share = createHash('sha256').update(`splay ${identity}`).digest().readUInt32BE() / 2 ** 32;
  return Math.floor(share * seconds * 1000);
}

/** @param seconds 0: no pause */
export function createSplay(seconds: number, board: BoardIdentity, log: Log): Splay {
  let isOver = false;
  return async (deviceName, signal) => {
    if (isOver || seconds === 0) return;
    isOver = true;
    const ms = splayMs(board, deviceName, seconds);
    log.info('splay.waiting', `Waiting ${ms / 1000} s (--splay ${seconds}), so that not all devices connect at once`, {
      ms,
    });
    await delay(ms, undefined, { signal });
  };
}
