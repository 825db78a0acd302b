import { spawn } from 'node:child_process';

/** The end of a start of the agent. */
export interface AgentEnding {
  /** Null when the agent was killed. */
  readonly status: number | null;
  readonly output: string;
  /** The state of the last log line; null: no state. */
  readonly state: string | null;
}

export interface AgentStart {
  kill(): void;
  readonly ended: Promise<AgentEnding>;
}

const LIMIT_MS = 30_000;
const ENTERED = /"state":"([A-Za-z]+)","attempt":\d+,"event":"state\.entered"/g;

function lastState(output: string): string | null {
  for (const line of output.split('\n').reverse()) {
    const state = /^\{.*"state":(?:"([A-Za-z]+)"|null)/.exec(line);
    if (state !== null) return state[1] ?? null;
  }
  return null;
}

/**
 * Starts the shipped program on a device folder.
 * @param program main.js of the agent
 * @param onEntered called for each state that the log says is entered
 */
export function startAgent(program: string, folder: string, onEntered: (state: string) => void = () => {}): AgentStart {
  const child = spawn(process.execPath, [program, 'run', '--dir', folder, '--log-format', 'json'], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { THERMAL_BOARD_ID: 'board-1', THERMAL_LOG_LEVEL: 'debug' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      const text = chunk.toString('utf8');
      output += text;
      for (const [, state = ''] of text.matchAll(ENTERED)) onEntered(state);
    });
  }
  const ended = new Promise<AgentEnding>((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    child.once('error', reject);
    child.once('close', (status) => {
      clearTimeout(timer);
      resolve({ status, output, state: lastState(output) });
    });
  });
  return { kill: () => child.kill('SIGKILL'), ended };
}
