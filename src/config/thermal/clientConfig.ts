import { resolve } from 'node:path';
import { isSameProxy, type ProxyServer } from '../../endpoint.ts';
import type { LogLevel } from '../../log/levels.ts';
import { type ConfiguredLogin, isSameLogin } from './configuredLogin.ts';

/** A point in the thermal image whose temperature is published. */
export interface MeasurementSpot {
  readonly id: number;
  readonly name: string;
  /** Pixels from the image's left and upper edge. */
  readonly x: number;
  readonly y: number;
  /** Degrees Celsius. */
  readonly minTemp: number;
  readonly maxTemp: number;
  /** 0 to 1: amplitude of the noise in simulated values, relative to half the range. */
  readonly noiseFactor: number;
  readonly enabled: boolean;
}

export interface ThingsboardSettings {
  readonly host: string;
  readonly port: number;
  readonly login: ConfiguredLogin;
  readonly deviceId: string;
  readonly useSsl: boolean;
  /** PEM bundle, relative to the device folder; absent: the system's authorities. */
  readonly caFile?: string | undefined;
  /** The way to the server; absent: that of the environment. */
  readonly proxy?: ProxyServer | undefined;
  readonly keepAliveSeconds: number;
  /** 0 to 2; 2 is published as 1, the highest level of ThingsBoard (docs/thingsboard.md, section 6). */
  readonly qosLevel: number;
}

export interface TelemetrySettings {
  readonly intervalSeconds: number;
  /** Whether one message contains all spots. */
  readonly batchTransmission: boolean;
  /** Number of further attempts after a failed publication, on the same connection. */
  readonly retryAttempts: number;
  readonly retryDelayMs: number;
  readonly measurementSpots: readonly MeasurementSpot[];
}

/** The provisioning that created the credentials. */
export interface ProvisioningOrigin {
  readonly runId: string;
  /** ISO 8601, by the device's clock. */
  readonly provisionedAt: string;
}

/** The part of thermal_config.json that normal operation uses (docs/files.md, "thermal_config.json"). */
export interface ClientConfig {
  readonly thingsboard: ThingsboardSettings;
  readonly telemetry: TelemetrySettings;
  /** Absent if this agent did not write the file. */
  readonly provisioning?: ProvisioningOrigin;
  readonly logging: LoggingSettings;
}

export interface LoggingSettings {
  readonly level: LogLevel;
  readonly output: 'console' | 'file' | 'both';
  /** Relative to the device folder. */
  readonly logFile: string;
}

/** Path of the log file of normal operation. undefined: the log goes to standard error only. */
export const logFilePath = ({ output, logFile }: LoggingSettings, deviceFolder: string): string | undefined =>
  output === 'console' ? undefined : resolve(deviceFolder, logFile);

const comparable = (config: ClientConfig): string => JSON.stringify(config);

/** Whether two configurations are equal. Secrets are compared separately, because their JSON hides them. */
export function sameConfig(one: ClientConfig, other: ClientConfig): boolean {
  return (
    isSameLogin(one.thingsboard.login, other.thingsboard.login) &&
    isSameProxy(one.thingsboard.proxy, other.thingsboard.proxy) &&
    comparable(one) === comparable(other)
  );
}
