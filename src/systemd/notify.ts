/** What the status is made of: the part of a log record that people read. */
interface StatusLine {
  readonly level: string;
  readonly state: string | null;
  readonly message: string;
}

/** Shows what a service does in `systemctl status`. */
export interface ServiceStatus {
  /** Never waits and never throws. A line that is overtaken by a newer one is left out. */
  show(line: StatusLine): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** systemd-notify takes 5 ms. One that hangs must not outlive the run that it talks about. */
const LIMIT_MS = 1000;
const MAX_FAILURES = 3;
const MAX_CHARACTERS = 300;

/** `impossible`: neither this time nor later. */
type Outcome = 'sent' | 'failed' | 'impossible';
/** Sends one text, and calls back with what became of it. */
type Send = (text: string, done: (outcome: Outcome) => void) => void;

let opened: ServiceStatus | undefined;

/** `state: message`, in one line; undefined for what is not worth a glance. */
function textOf({ level, state, message }: StatusLine): string | undefined {
  if (level === 'debug') return undefined;
  const text = state === null ? message : `${state}: ${message}`;
  return [...text.replaceAll(/\p{Cc}+/gu, ' ')].slice(0, MAX_CHARACTERS).join('');
}

/**
 * Node has no datagram sockets of the kind that systemd listens on: systemd's own program sends the status, one
 * process at a time. The unit needs NotifyAccess=all for it.
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

/** Its process keeps ours alive for at most LIMIT_MS, so that the last word of a run arrives. */
function sendWith(env: Environment): Send {
  return (text, done) => {
    let isDone = false;
    const once = (outcome: Outcome): void => {
      if (isDone) return;
      isDone = true;
      done(outcome);
    };
    try {
      // Loaded only where a systemd listens.
      const { spawn } = process.getBuiltinModule('node:child_process');
      const child = spawn('systemd-notify', [`--status=${text}`], {
        stdio: 'ignore',
        env: { PATH: env.PATH, NOTIFY_SOCKET: env.NOTIFY_SOCKET },
        timeout: LIMIT_MS,
        killSignal: 'SIGKILL',
      });
      // There is no such program, or no room for another process.
      child.once('error', () => once('impossible'));
      child.once('exit', (status) => once(status === 0 ? 'sent' : 'failed'));
    } catch {
      once('impossible');
    }
  };
}

/** One for the whole process. @returns undefined where no systemd listens */
export function openStatus(env: Environment): ServiceStatus | undefined {
  if (env.NOTIFY_SOCKET === undefined || env.NOTIFY_SOCKET === '') return undefined;
  opened ??= createStatus(sendWith(env));
  return opened;
}
