import { setTimeout as delay } from 'node:timers/promises';
import { fromPromise } from 'xstate';
import type { OpenConnection, Publication } from '../../machines/telemetry.types.ts';
import { trustedAuthorities } from '../config/authorities/trustedAuthorities.ts';
import { environmentProxy } from '../config/proxy/environmentProxy.ts';
import { type ClientConfig, sameConfig, type TelemetrySettings } from '../config/thermal/clientConfig.ts';
import { credentialsOf } from '../config/thermal/loginCredentials.ts';
import { Failure, toFailure } from '../failures/failure.ts';
import { operationServer } from '../failures/serverFacts.ts';
import type { Log } from '../log/log.ts';
import { ATTRIBUTES_TOPIC, TELEMETRY_TOPIC } from '../thingsboard/topics.ts';
import type { Clock } from '../time/clock.ts';
import { LATE, within } from '../time/within.ts';
import type { ProvisioningRecord } from './provisioningRecord.ts';
import { createRateLimitedWarning } from './rateLimitedWarning.ts';
import type { RpcMethods } from './rpc/methods.ts';
import { createRequestQueue } from './rpc/requestQueue.ts';
import { attributesMessage, maxAgeMs, telemetryMessages } from './telemetryMessage.ts';
import type { SpotReading, TemperatureSource } from './temperatureSource.ts';
import { openSession, type SessionLimits, type ThingsboardSession } from './thingsboardSession.ts';

/** Time limits of normal operation, in milliseconds. */
export interface ClientLimits extends SessionLimits {
  /** For reading the configuration, and for one reading of all temperatures. */
  readonly readMs: number;
}

export interface TelemetryEffectsOptions {
  readonly deviceFolder: string;
  readonly config: ClientConfig;
  /** Reads thermal_config.json again before each connection; absent: `config` stays in use. */
  readonly readConfig?: (() => Promise<ClientConfig>) | undefined;
  readonly source: TemperatureSource;
  readonly log: Log;
  readonly clock: Clock;
  readonly limits: ClientLimits;
  /** The provisioning details to publish; absent: none are published. */
  readonly record?: ProvisioningRecord | undefined;
  /** What the server may ask for; absent: no request is taken. */
  readonly methods?: RpcMethods | undefined;
}

/** Publishes with the configured number of further attempts. When the session is lost, the signal ends them. */
async function publishWithRetries(
  session: ThingsboardSession,
  topic: string,
  payload: string,
  settings: TelemetrySettings,
  signal: AbortSignal,
  acknowledged = false,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await session.publish(topic, payload, signal, acknowledged);
    } catch (error) {
      signal.throwIfAborted();
      if (attempt >= settings.retryAttempts) throw error;
    }
    await delay(settings.retryDelayMs, undefined, { signal });
  }
}

/** Makes work reject only with a Failure, because the chart needs its code, message and hint. */
const orFailure = <Value>(work: Promise<Value>): Promise<Value> =>
  work.catch((error: unknown) => {
    throw toFailure(error);
  });

/** The effects of the telemetry chart. At most one session is open at a time. */
export function createTelemetryEffects(options: TelemetryEffectsOptions) {
  const { deviceFolder, readConfig, source, log, clock, limits } = options;
  let config = options.config;
  let session: ThingsboardSession | undefined;
  let opening: Promise<unknown> = Promise.resolve();
  let attributesSent = false;
  const requests = createRequestQueue({ methods: options.methods ?? {}, log, clock, methodMs: limits.readMs });
  const warnReading = createRateLimitedWarning(log, clock, 'telemetry.reading-failed');
  const warnMissing = createRateLimitedWarning(log, clock, 'telemetry.no-value');

  const closeSession = async (): Promise<void> => {
    const open = session;
    session = undefined;
    await open?.close();
  };

  async function refreshConfig(signal: AbortSignal): Promise<void> {
    if (readConfig === undefined) return;
    try {
      const fresh = await within(limits.readMs, () => readConfig(), signal);
      if (fresh === LATE) throw new Failure('CONFIG_UNREADABLE', 'tooSlow', { seconds: limits.readMs / 1000 });
      if (sameConfig(config, fresh)) return;
      config = fresh;
      log.info('config.changed', 'thermal_config.json changed; using the new settings');
    } catch (error) {
      signal.throwIfAborted();
      const failure = toFailure(error);
      log.warn('config.unusable', `Can't use thermal_config.json; keeping the previous settings: ${failure.message}`, {
        code: failure.code,
      });
    }
  }

  /** Also waits until the socket of an aborted connection attempt is closed. */
  async function disconnect(): Promise<void> {
    requests.close();
    await opening.catch(() => {});
    await closeSession();
  }

  async function connectSession(signal: AbortSignal): Promise<OpenConnection> {
    await closeSession();
    await refreshConfig(signal);
    const { thingsboard, telemetry } = config;
    if (thingsboard.qosLevel > 1)
      log.warn('config.qos', 'ThingsBoard does not support QoS 2; sending messages with QoS 1');
    const ca = await trustedAuthorities(deviceFolder, thingsboard, 'thingsboard');
    const credentials = await credentialsOf(thingsboard.login, deviceFolder);
    const proxy = thingsboard.proxy ?? (await environmentProxy(thingsboard));
    session = await openSession({ settings: thingsboard, credentials, ca, proxy, limits, signal });
    attributesSent = false;
    // The temperatures do not wait for it.
    if (options.methods !== undefined) void requests.serve(session);
    return {
      server: session.server,
      deviceId: thingsboard.deviceId,
      intervalMs: telemetry.intervalSeconds * 1000,
    };
  }

  async function holdSession(signal: AbortSignal): Promise<never> {
    const open = requireSession();
    // Leaving the state closes the session. A session that ended by itself still has a socket to close.
    const leave = (): Promise<void> => open.close();
    signal.addEventListener('abort', leave, { once: true });
    const failure = await open.ended;
    await leave();
    throw failure;
  }

  const requireSession = (): ThingsboardSession => {
    if (session !== undefined) return session;
    throw new Failure('CONNECTION_LOST', 'closedHere', operationServer(config.thingsboard));
  };

  /** The values that are recent enough to send. A failed reading is a warning, because the next one may succeed. */
  async function readSpots(telemetry: TelemetrySettings, signal: AbortSignal): Promise<readonly SpotReading[]> {
    const spots = telemetry.measurementSpots.filter((spot) => spot.enabled);
    const oldest = clock.monotonic() - maxAgeMs(telemetry.intervalSeconds * 1000);
    try {
      const readings = await within(limits.readMs, (ending) => source.read(spots, ending), signal);
      if (readings === LATE) {
        warnReading(`The temperature source returned no values within ${limits.readMs} ms`);
        return [];
      }
      return readings.filter((reading) => reading.readAt >= oldest && Number.isFinite(reading.temperature));
    } catch (error) {
      signal.throwIfAborted();
      warnReading(`Can't read the temperatures: ${error instanceof Error ? error.message : typeof error}`);
      return [];
    }
  }

  async function publishRecord(open: ThingsboardSession, signal: AbortSignal): Promise<void> {
    const { record } = options;
    const { provisioning, telemetry } = config;
    if (record === undefined || provisioning === undefined) return;
    // A hanging disk must not delay the temperatures. The next connection tries again.
    const message = await within(limits.readMs, () => record.pending(provisioning), signal);
    if (message === undefined || message === LATE) return;
    await publishWithRetries(open, ATTRIBUTES_TOPIC, message, telemetry, signal, true);
    await within(limits.readMs, () => record.published(provisioning), signal);
  }

  async function publishOnce(signal: AbortSignal): Promise<Publication> {
    const startedAt = clock.monotonic();
    const open = requireSession();
    const { telemetry } = config;
    const spots = telemetry.measurementSpots.filter((spot) => spot.enabled);
    const attributes = attributesSent ? undefined : attributesMessage(spots);
    if (attributes !== undefined) await publishWithRetries(open, ATTRIBUTES_TOPIC, attributes, telemetry, signal);
    if (!attributesSent) await publishRecord(open, signal);
    attributesSent = true;
    const readings = await readSpots(telemetry, signal);
    const missing = spots.filter((spot) => !readings.some((reading) => reading.spot === spot.id));
    if (missing.length > 0) warnMissing(`No recent temperature for spot ${missing.map((spot) => spot.id).join(', ')}`);
    const messages = telemetryMessages(spots, readings, telemetry.batchTransmission);
    for (const message of messages) await publishWithRetries(open, TELEMETRY_TOPIC, message, telemetry, signal);
    log.debug('telemetry.published', `Published ${messages.length} messages`, { messages: messages.length });
    return { messages: messages.length, elapsedMs: clock.monotonic() - startedAt };
  }

  return {
    connect: fromPromise<OpenConnection>(({ signal }) => {
      const attempt = orFailure(connectSession(signal));
      opening = attempt;
      return attempt;
    }),
    holdConnection: fromPromise<never>(({ signal }) => orFailure(holdSession(signal))),
    publishTelemetry: fromPromise<Publication>(({ signal }) => orFailure(publishOnce(signal))),
    answerRequests: fromPromise<void>(() => requests.runRequested),
    disconnect: fromPromise<void>(disconnect),
  };
}
