let installed: AbortSignal | undefined;

/**
 * Aborted by the first SIGTERM or SIGINT; from the second on the signals have their usual, deadly effect. One for the
 * whole process: `boot` calls it before the program is loaded, so that a signal meanwhile does not kill.
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
