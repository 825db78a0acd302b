import { Failure } from '../failures/failure.ts';
import { type CommandEnd, runCommand } from './commandRun.ts';

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1024;

/**
 * The line that a program prints. The program is started without a shell and without arguments.
 * @param owner the user who runs it; default: the agent's own
 * @throws Failure PROVISION_JSON_INVALID when it can't be started, fails, takes more than 10 s, or prints anything but
 *   one line of at most 1024 bytes; what `signal` says when it is aborted
 */
export async function nameFromCommand(
  command: string,
  {
    signal,
    owner,
    timeoutMs = TIMEOUT_MS,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
    /** ms */
    readonly timeoutMs?: number;
  } = {},
): Promise<string> {
  signal?.throwIfAborted();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const end = await new Promise<CommandEnd>((resolve, reject) => {
    let why: unknown;
    const giveUp = (reason: unknown): void => {
      why ??= reason;
      void run.stop();
    };
    const tooSlow = (): void =>
      giveUp(new Failure('PROVISION_JSON_INVALID', 'commandTooSlow', { command, seconds: timeoutMs / 1000 }));
    const onAbort = (): void => giveUp(signal?.reason);
    const timer = setTimeout(tooSlow, timeoutMs);
    signal?.addEventListener('abort', onAbort);
    const run = runCommand(
      [command],
      (chunk) => {
        bytes += chunk.length;
        if (bytes <= MAX_BYTES) chunks.push(chunk);
        else giveUp(new Failure('PROVISION_JSON_INVALID', 'commandNotOneLine', { command }));
      },
      (ended) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        if (why === undefined) resolve(ended);
        else reject(why);
      },
      owner,
    );
  });
  if (end.how !== 'status 0') {
    const said = end.stderr === '' ? '' : `: ${end.stderr}`;
    throw new Failure('PROVISION_JSON_INVALID', 'commandFailed', { command, how: end.how, said });
  }
  const line = Buffer.concat(chunks).toString('utf8').trim();
  if (line === '' || /[\r\n]/.test(line)) {
    throw new Failure('PROVISION_JSON_INVALID', 'commandNotOneLine', { command });
  }
  return line;
}
