/** What happens in the agent's process at one of its file-system calls (support/intruder.ts does it). */
export interface Intrusion {
  readonly call: 'open' | 'rename' | 'unlink' | 'stat' | 'lstat' | 'readdir' | 'statfs' | 'sync';
  /** The end of one of the call's paths. */
  readonly path: string;
  /** The how-manieth such call, from 1 (default). */
  readonly nth?: number;
  /** From that call on, instead of once. */
  readonly lasting?: boolean;
  /** When the call is done, instead of before it. */
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
