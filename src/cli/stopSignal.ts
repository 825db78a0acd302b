let installed: AbortSignal | undefined;

/**
 * The first SIGTERM or SIGINT aborts this signal. A second one kills the process. There is one for the whole process:
 * `boot` calls this function before it loads the program, so that an early signal does not kill.
 */
export function stopSignal(): AbortSignal {
  if (installed !== undefined) return installed;
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => controller.abort(new Error(name)));
  installed = controller.signal;
  return installed;
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
