import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../log/log.ts';
import type { BoardIdentity } from './board.ts';

/** The pause that spreads a site's devices: made once in a process, before the server is first spoken to. */
export type Splay = (deviceName: string, signal: AbortSignal) => Promise<void>;

/**
 * This device's share of the splay, ms: from 0 to less than the whole, the same at each start, evenly spread over a
 * fleet. A board without any identity goes by its drawn name, which is the same until the run has ended.
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
    log.info('splay.waiting', `Waits ${ms / 1000} s of --splay ${seconds}: not all devices shall ask at once`, { ms });
    await delay(ms, undefined, { signal });
  };
}
