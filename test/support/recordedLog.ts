import type { Log, LogDetails } from '../../src/log/log.ts';

export interface LoggedLine {
  readonly level: keyof Log;
  readonly event: string;
  readonly message: string;
  readonly details: LogDetails | undefined;
}

/** A log that keeps its lines in memory. */
export function recordedLog(): { readonly log: Log; readonly lines: readonly LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const at =
    (level: keyof Log) =>
    (event: string, message: string, details?: LogDetails): void => {
      lines.push({ level, event, message, details });
    };
  return { log: { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') }, lines };
}
