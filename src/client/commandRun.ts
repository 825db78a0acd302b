import { type ChildProcess, spawn } from 'node:child_process';
import { SECRET_VARIABLES } from '../config/provision/externalSettings.ts';

/** How much of what the command said on stderr is kept, from the end. */
const MAX_STDERR_CHARS = 300;
/** From SIGTERM to SIGKILL. */
const KILL_DELAY_MS = 300;

const CONTROL_CHARACTERS = /\p{Cc}+/gu;

export interface CommandEnd {
  /** `status 1`, `signal SIGKILL`, or why it could not be started. */
  readonly how: string;
  readonly stderr: string;
}

export interface CommandRun {
  /** Ends the command and what it has started; resolves when it is gone. */
  stop(): Promise<void>;
}

/** Signals the command and whatever it has started: it leads a process group of its own. */
function signalGroup(child: ChildProcess, name: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch {
    // Already gone.
  }
}

/** The provisioning key is no business of a program that reads temperatures. */
function withoutSecrets(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const variable of SECRET_VARIABLES) delete env[variable];
  return env;
}

/**
 * Starts a command without a shell.
 * @param onOutput gets what it prints
 * @param onEnd is called once, when the command has ended and its output is read to the end, or could not be started
 */
export function runCommand(
  [program, ...args]: readonly [string, ...string[]],
  onOutput: (chunk: Buffer) => void,
  onEnd: (end: CommandEnd) => void,
): CommandRun {
  let stderr = '';
  let ended = false;
  let onGone = (): void => {};
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: withoutSecrets() });

  function end(how: string): void {
    if (ended) return;
    ended = true;
    onGone();
    onEnd({ how, stderr: stderr.replace(CONTROL_CHARACTERS, ' ').trim() });
  }

  // Absent when the process limit for open files is reached.
  child.stdout?.on('data', onOutput);
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-MAX_STDERR_CHARS);
  });
  child.on('error', (error) => {
    if (child.pid === undefined) end(error.message);
  });
  // Not 'exit': something the command has started may hold the pipe and go on printing.
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
        // A process that has left the group may still hold the pipes.
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, KILL_DELAY_MS);
      await gone;
      clearTimeout(kill);
    },
  };
}
