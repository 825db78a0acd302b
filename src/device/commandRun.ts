import type { ChildProcess } from 'node:child_process';
import { PROXY_VARIABLES, SECRET_VARIABLES } from '../secret.ts';

/** Number of characters kept from the end of the command's stderr. */
const MAX_STDERR_CHARS = 300;
/** From SIGTERM to SIGKILL. */
const KILL_DELAY_MS = 300;

const CONTROL_CHARACTERS = /\p{Cc}+/gu;

export interface CommandEnd {
  /** `status 1`, `signal SIGKILL`, or why the command could not be started. */
  readonly how: string;
  readonly stderr: string;
}

export interface CommandRun {
  /** Stops the command and its child processes. Resolves when the command has ended. */
  stop(): Promise<void>;
}

/** Signals the command and its child processes, which are in one process group. */
function signalGroup(child: ChildProcess, name: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch {
    // The group has already ended.
  }
}

/** A program of the camera must not receive the provisioning key and secret, or the password of a proxy. */
function withoutSecrets(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const variable of SECRET_VARIABLES) delete env[variable];
  for (const variable of PROXY_VARIABLES) if (env[variable]?.includes('@')) delete env[variable];
  return env;
}

/**
 * Starts a command without a shell.
 * @param onOutput receives the command's output
 * @param onEnd called once, when the command has ended and its output is read, or when it could not be started
 * @param user who runs it; default: the agent's own user
 */
export function runCommand(
  [program, ...args]: readonly [string, ...string[]],
  onOutput: (chunk: Buffer) => void,
  onEnd: (end: CommandEnd) => void,
  user: { readonly uid: number; readonly gid: number } | undefined = undefined,
): CommandRun {
  let stderr = '';
  let ended = false;
  let onGone = (): void => {};
  // Loaded only when a command is run.
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: withoutSecrets(),
    ...user,
  });

  function end(how: string): void {
    if (ended) return;
    ended = true;
    onGone();
    onEnd({ how, stderr: stderr.replace(CONTROL_CHARACTERS, ' ').trim() });
  }

  // The pipes are absent when the limit for open files is reached.
  child.stdout?.on('data', onOutput);
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-MAX_STDERR_CHARS);
  });
  child.on('error', (error) => {
    if (child.pid === undefined) end(error.message);
  });
  // Not 'exit': a child process of the command may still hold the pipe and print.
  child.on('close', (code, signal) => end(signal === null ? `status ${code}` : `signal ${signal}`));

  return {
    async stop() {
      if (ended) return;
      const gone = new Promise<void>((resolve) => {
        onGone = resolve;
      });
      signalGroup(child, 'SIGTERM');
      const kill = setTimeout(() => {
        signalGroup(child, 'SIGKILL');
        // A process that left the group may still hold the pipes.
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, KILL_DELAY_MS);
      await gone;
      clearTimeout(kill);
    },
  };
}
