import { resolve } from 'node:path';
import { type DevicePaths, devicePaths } from '../device/paths.ts';
import type { LogFormat } from '../log/format.ts';
import type { LogLevel } from '../log/levels.ts';
import { MAX_SPLAY } from '../provision/defaults.ts';

/** What `run` and `start` have in common, as commander gives it. */
export interface AgentArguments {
  readonly dir: string;
  readonly stateDir?: string;
  readonly logFormat?: LogFormat;
  readonly logLevel?: LogLevel;
  readonly keepBackups: number;
  /** Seconds. */
  readonly splay: number;
}

/** The seconds of --splay; undefined: the text is no whole number up to the maximum. */
export function splayFrom(text: string): number | undefined {
  return /^\d+$/.test(text) && Number(text) <= MAX_SPLAY ? Number(text) : undefined;
}

export function pathsFrom({ dir, stateDir }: Pick<AgentArguments, 'dir' | 'stateDir'>): DevicePaths {
  return devicePaths(resolve(dir), stateDir === undefined ? undefined : resolve(stateDir));
}

export const formatFrom = ({ logFormat }: AgentArguments): LogFormat =>
  logFormat ?? (process.stderr.isTTY ? 'text' : 'json');
