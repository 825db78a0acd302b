/** The part of a log record that the status shows. */
interface StatusLine {
  readonly level: string;
  readonly state: string | null;
  readonly message: string;
}

/** Shows what a service does in `systemctl status`. */
export interface ServiceStatus {
  /** Never waits and never throws. Skips a line if a newer one comes before it is sent. */
  show(line: StatusLine): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** systemd-notify takes 5 ms. If it hangs, it must not delay the end of the run. */
const LIMIT_MS = 1000;
const MAX_FAILURES = 3;
const MAX_CHARACTERS = 300;

/** `impossible`: later calls fail as well. */
type Outcome = 'sent' | 'failed' | 'impossible';
/** Sends one text, then calls `done` with the outcome. */
type Send = (text: string, done: (outcome: Outcome) => void) => void;

let opened: ServiceStatus | undefined;

/** `state: message` on one line; undefined: a debug line, which the status does not show. */
function textOf({ level, state, message }: StatusLine): string | undefined {
  if (level === 'debug') return undefined;
  const text = state === null ? message : `${state}: ${message}`;
  return [...text.replaceAll(/\p{Cc}+/gu, ' ')].slice(0, MAX_CHARACTERS).join('');
}

/**
 * Node has no Unix datagram sockets, so systemd's own program sends the status, one process at a time. The unit needs
 * NotifyAccess=all for it.
 */
export function createStatus(send: Send): ServiceStatus {
  let pending: string | undefined;
  let isBusy = false;
  let failures = 0;
  const next = (): void => {
    const text = pending;
    if (isBusy || text === undefined || failures >= MAX_FAILURES) return;
    pending = undefined;
    isBusy = true;
    send(text, (outcome) => {
      isBusy = false;
      if (outcome === 'impossible') failures = MAX_FAILURES;
      else failures = outcome === 'sent' ? 0 : failures + 1;
      next();
    });
  };
  return {
    show: (line) => {
      pending = textOf(line) ?? pending;
      next();
    },
  };
}

/** The child process keeps the agent alive for at most LIMIT_MS, so that systemd gets the last status. */
function sendWith(env: Environment): Send {
  return (text, done) => {
    let isDone = false;
    const once = (outcome: Outcome): void => {
      if (isDone) return;
      isDone = true;
      done(outcome);
    };
    try {
      // Not imported: needed only under systemd.
      const { spawn } = process.getBuiltinModule('node:child_process');
      const child = spawn('systemd-notify', [`--status=${text}`], {
        stdio: 'ignore',
        env: { PATH: env.PATH, NOTIFY_SOCKET: env.NOTIFY_SOCKET },
        timeout: LIMIT_MS,
        killSignal: 'SIGKILL',
      });
      // systemd-notify is missing, or no process can be started.
      child.once('error', () => once('impossible'));
      child.once('exit', (status) => once(status === 0 ? 'sent' : 'failed'));
    } catch {
      once('impossible');
    }
  };
}

/** One for the whole process. @returns undefined if systemd does not listen */
export function openStatus(env: Environment): ServiceStatus | undefined {
  if (env.NOTIFY_SOCKET === undefined || env.NOTIFY_SOCKET === '') return undefined;
  opened ??= createStatus(sendWith(env));
  return opened;
}
