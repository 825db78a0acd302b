import type { OpenConnection, TelemetryContext, TelemetryFailure } from '../../machines/telemetry.types.ts';
import type { Log } from '../log/log.ts';
import type { Clock } from '../time/clock.ts';

const SUMMARY_PAUSE_MS = 60 * 60 * 1000;

interface Retry {
  readonly failure: TelemetryFailure | null;
  readonly delayMs: number;
}

const detailsOf = ({ failure, delayMs }: Retry) => ({ code: failure?.code, hint: failure?.hint, retryInMs: delayMs });

const messageOf = ({ failure }: Retry): string => failure?.message ?? 'No connection';

/** The actions of the telemetry chart that write log lines, with a summary once an hour. */
export function reportingActions(log: Log, clock: Clock) {
  let summaryAt = clock.monotonic() + SUMMARY_PAUSE_MS;
  return {
    reportConnected: ({ context }: { context: TelemetryContext }, { server, deviceId }: OpenConnection) =>
      log.info('session.connected', `Connected to ${server} as ${deviceId}`, {
        server,
        deviceId,
        connections: context.connections,
      }),
    reportPublication: ({ context }: { context: TelemetryContext }) => {
      if (clock.monotonic() < summaryAt) return;
      summaryAt = clock.monotonic() + SUMMARY_PAUSE_MS;
      const { messages, connections } = context;
      log.info('telemetry.summary', `${messages} messages published so far`, { messages, connections });
    },
    reportRetry: (_: unknown, retry: Retry) => log.warn('session.lost', messageOf(retry), detailsOf(retry)),
    reportRefused: (_: unknown, retry: Retry) => log.error('session.refused', messageOf(retry), detailsOf(retry)),
  };
}
