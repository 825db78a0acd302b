let installed: AbortSignal | undefined;

/**
 * Aborted by the first SIGTERM or SIGINT; from the second on the signals have their usual, deadly effect. One for the
 * whole process: `boot` calls it before the program's parts are loaded, so that a stop meanwhile is no kill.
 */
export function stopSignal(): AbortSignal {
  if (installed !== undefined) return installed;
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => controller.abort(new Error(name)));
  installed = controller.signal;
  return installed;
}

/** Takes over what main.js has installed: the files that are built apart have a copy of this module each. */
export function adoptStopSignal(signal: AbortSignal): void {
  installed = signal;
}
