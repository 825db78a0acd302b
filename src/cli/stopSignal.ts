let controller: AbortController | undefined;

/**
 * The first SIGTERM or SIGINT aborts this signal. A second one kills the process. There is one for the whole process:
 * `boot` calls this function before it loads the program, so that an early signal does not kill.
 */
export function stopSignal(): AbortSignal {
  if (controller !== undefined) return controller.signal;
  const made = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => made.abort(new Error(name)));
  controller = made;
  return made.signal;
}

/**
 * Handles SIGHUP. On a terminal that hangs up, it stops the process like SIGTERM. Otherwise the process continues: a
 * service gets SIGHUP after the rotation of its log, and nohup asks for it, whose setting Node resets.
 */
export function handleHangUp(): void {
  const { isatty } = process.getBuiltinModule('node:tty');
  const stops = [0, 1, 2].some(isatty);
  process.on('SIGHUP', () => {
    if (stops) controller?.abort(new Error('SIGHUP'));
  });
}

/** Resolves when the signal is aborted. */
export async function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

/** How long open handles may delay the end of the process. */
const LINGER_MS = 500;

/** Ends the process once its work is done, also if a library keeps a handle open. */
export function exitSoon(): void {
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
