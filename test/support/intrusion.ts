/** An act at a file-system call of the agent (support/intruder.ts performs it). */
export interface Intrusion {
  readonly call: 'open' | 'rename' | 'unlink' | 'stat' | 'lstat' | 'readdir' | 'statfs' | 'sync';
  /** The end of a path of the call. */
  readonly path: string;
  /** The number of the call among the matching ones, from 1 (default). */
  readonly nth?: number;
  /** Act at every matching call from that one on, instead of once. */
  readonly lasting?: boolean;
  /** Act after the call instead of before it. */
  readonly after?: boolean;
  readonly act: Act;
}

export type Act =
  | { readonly do: 'signal'; readonly signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' }
  /** Another program writes a file. */
  | { readonly do: 'write'; readonly path: string; readonly text: string }
  | { readonly do: 'append'; readonly path: string; readonly text: string }
  | { readonly do: 'remove'; readonly path: string }
  /** The call fails. */
  | { readonly do: 'fail'; readonly errno: 'ENOSPC' | 'EIO' | 'EROFS' | 'EDQUOT' };
