let installed: AbortSignal | undefined;

/**
 * Aborted by the first SIGTERM or SIGINT; from the second on the signals have their usual, deadly effect. One for the
 * whole process: `main.ts` calls it before the program's parts are loaded, so that a stop meanwhile is no kill.
 */
export function stopSignal(): AbortSignal {
  if (installed !== undefined) return installed;
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => controller.abort(new Error(name)));
  installed = controller.signal;
  return installed;
}
