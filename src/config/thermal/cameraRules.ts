import * as z from 'zod/mini';
import type { ProxyServer } from '../../endpoint.ts';
import { Failure } from '../../failures/failure.ts';
import { formatPath, isJsonObject } from '../json/strictJson.ts';
import { PROXY_EXPECTED, readProxyUrl } from '../proxy/proxyUrl.ts';
import type { ClientConfig, LoggingSettings, MeasurementSpot } from './clientConfig.ts';
import { readConfigText } from './configText.ts';
import { hasOtherLogin, loginOfSection } from './configuredLogin.ts';

// The rules of the C++ client on the camera for thermal_config.json (docs/files.md). A key that the page does not
// require may be absent; the client then uses a default. Messages never show a value, because one of the values is the
// access token.

const integer = (min: number, max: number) => {
  const error = `expected an integer from ${min} to ${max}`;
  return z.int({ error }).check(z.gte(min), z.lte(max));
};
const number = (min: number, max: number, error = `expected a number from ${min} to ${max}`) =>
  z.number({ error }).check(z.gte(min), z.lte(max));
const text = () => z.string({ error: 'expected a string' });
const filled = () => z.string({ error: 'expected a non-empty string' }).check(z.minLength(1));
const pattern = (regex: RegExp, error: string) => z.string({ error }).check(z.regex(regex));
const flag = () => z.boolean({ error: 'expected true or false' });
const choice = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `expected ${values.slice(0, -1).join(', ')} or ${values.at(-1)}` });
const object = { error: 'expected an object' };

const PROXY_FROM = 'thingsboard.proxy in thermal_config.json';
const isProxyUrl = (url: string): boolean => !('problem' in readProxyUrl(url, PROXY_FROM));

function toProxy(url: string | undefined): { readonly proxy?: ProxyServer } {
  const read = url === undefined ? undefined : readProxyUrl(url, PROXY_FROM);
  return read === undefined || 'problem' in read ? {} : { proxy: read };
}

const coordinate = () => number(0, Number.MAX_VALUE, 'expected a number of 0 or more');
const temperature = () => number(-100, 500);

const spotSchema = z
  .object(
    {
      id: z.int({ error: 'expected an integer above 0' }).check(z.gte(1)),
      name: pattern(/^[A-Za-z0-9 _-]+$/, 'expected a string of A-Z, a-z, 0-9, space, _ and -'),
      x: coordinate(),
      y: coordinate(),
      min_temp: temperature(),
      max_temp: temperature(),
      noise_factor: z.optional(number(0, 1)),
      enabled: z.optional(flag()),
    },
    object,
  )
  .check(
    z.refine((spot) => spot.min_temp < spot.max_temp, { path: ['min_temp'], error: 'expected less than max_temp' }),
  );

// Checks the length first, so that a list of a million entries does not give a million problems.
const spotsSchema = z
  .pipe(
    z.array(z.unknown(), { error: 'expected a list' }).check(z.maxLength(5, { error: 'expected at most 5 spots' })),
    z.array(spotSchema),
  )
  .check(
    z.refine((spots) => new Set(spots.map(({ id }) => id)).size === spots.length, { error: 'expected different ids' }),
  );

const loggingSchema = z.object(
  {
    level: z.optional(choice(['debug', 'info', 'warn', 'error'])),
    output: z.optional(choice(['console', 'file', 'both'])),
    log_file: z.optional(text()),
  },
  object,
);

/** `port` and `use_ssl` set each other's default. */
const usesTls = ({ port, use_ssl }: { readonly port?: number | undefined; readonly use_ssl?: boolean | undefined }) =>
  use_ssl ?? port === 8883;

/** An access token is required, unless the camera logs in with something else. */
const TOKEN = { access_token: filled() };
const OTHER_LOGIN = {
  access_token: z.optional(text()),
  client_id: z.optional(text()),
  username: z.optional(text()),
  password: z.optional(text()),
  client_cert_file: z.optional(text()),
  client_key_file: z.optional(text()),
};

const configSchema = <Login extends typeof TOKEN | typeof OTHER_LOGIN>(login: Login) =>
  z.object({
    thingsboard: z.object(
      {
        host: filled(),
        port: z.optional(integer(1, 65_535)),
        ...login,
        device_id: pattern(/^[A-Za-z0-9_-]+$/, 'expected a non-empty string of A-Z, a-z, 0-9, _ and -'),
        use_ssl: z.optional(flag()),
        ca_file: z.optional(text()),
        proxy: z.optional(text().check(z.refine(isProxyUrl, { error: `expected ${PROXY_EXPECTED}` }))),
        keep_alive_seconds: z.optional(integer(10, 300)),
        qos_level: z.optional(integer(0, 2)),
      },
      object,
    ),
    telemetry: z.object(
      {
        interval_seconds: z.optional(integer(1, 3600)),
        batch_transmission: z.optional(flag()),
        retry_attempts: z.optional(integer(0, 10)),
        retry_delay_ms: z.optional(integer(100, 10_000)),
        measurement_spots: z.optional(spotsSchema),
      },
      object,
    ),
    logging: z.optional(loggingSchema),
    // The camera ignores this section, so a wrong value in it must not make the file invalid.
    provisioning: z.catch(
      z.optional(
        z.object({
          run_id: z.string().check(z.minLength(1), z.maxLength(64)),
          provisioned_at: z.string().check(z.maxLength(64)),
        }),
      ),
      undefined,
    ),
  });

const withToken = configSchema(TOKEN);
const withOtherLogin = configSchema(OTHER_LOGIN).check(
  z.refine(({ thingsboard: { client_cert_file, client_key_file } }) => !client_cert_file || Boolean(client_key_file), {
    path: ['thingsboard', 'client_key_file'],
    error: 'expected the file of the key, because client_cert_file is set',
  }),
  z.refine(({ thingsboard }) => !thingsboard.client_cert_file || usesTls(thingsboard), {
    path: ['thingsboard', 'use_ssl'],
    error: 'expected true, because client_cert_file is set',
  }),
);

type Camera = z.infer<typeof withToken> | z.infer<typeof withOtherLogin>;

type Checked = { readonly config: Camera } | { readonly problems: readonly string[] };

function check(bytes: Uint8Array): Checked {
  const json = readConfigText(bytes);
  if (!json.ok) return { problems: [json.problem] };
  const { thingsboard } = json.value;
  const isOther = isJsonObject(thingsboard) && hasOtherLogin(thingsboard);
  const parsed = (isOther ? withOtherLogin : withToken).safeParse(json.value);
  if (parsed.success) return { config: parsed.data };
  // One value may break both the type rule and the range rule, which have the same message.
  const problems = parsed.error.issues.map(({ path, message }) => `${formatPath(path)}: ${message}`);
  return { problems: [...new Set(problems)] };
}

/**
 * The rules of the camera that a thermal_config.json breaks, each with its JSON path. Empty when the camera can load
 * the file. No value is shown.
 */
export function cameraProblems(bytes: Uint8Array): readonly string[] {
  const checked = check(bytes);
  return 'problems' in checked ? checked.problems : [];
}

function toSpot(spot: z.infer<typeof spotSchema>): MeasurementSpot {
  const { id, name, x, y, min_temp, max_temp, noise_factor = 0, enabled = true } = spot;
  return { id, name, x, y, minTemp: min_temp, maxTemp: max_temp, noiseFactor: noise_factor, enabled };
}

const toLogging = ({ level, output, log_file }: z.infer<typeof loggingSchema>): LoggingSettings => ({
  level: level ?? 'info',
  output: output ?? 'console',
  logFile: log_file ?? 'thermal-mqtt.log',
});

function toThermalConfig({ thingsboard, telemetry, logging = {}, provisioning }: Camera): ClientConfig {
  const { port = thingsboard.use_ssl ? 8883 : 1883 } = thingsboard;
  return {
    thingsboard: {
      host: thingsboard.host,
      port,
      login: loginOfSection(thingsboard),
      deviceId: thingsboard.device_id,
      useSsl: usesTls(thingsboard),
      caFile: thingsboard.ca_file,
      ...toProxy(thingsboard.proxy),
      keepAliveSeconds: thingsboard.keep_alive_seconds ?? 60,
      qosLevel: thingsboard.qos_level ?? 1,
    },
    telemetry: {
      intervalSeconds: telemetry.interval_seconds ?? 15,
      batchTransmission: telemetry.batch_transmission ?? false,
      retryAttempts: telemetry.retry_attempts ?? 3,
      retryDelayMs: telemetry.retry_delay_ms ?? 1000,
      measurementSpots: (telemetry.measurement_spots ?? []).map(toSpot),
    },
    logging: toLogging(logging),
    ...(provisioning === undefined
      ? {}
      : { provisioning: { runId: provisioning.run_id, provisionedAt: provisioning.provisioned_at } }),
  };
}

/**
 * Reads the content of thermal_config.json for normal operation. Absent keys get the values of the documentation's
 * example. As in provision.json, `port` and `use_ssl` set each other's default.
 * @throws Failure CONFIG_INVALID with one line for each broken rule
 */
export function parseThermalConfig(bytes: Uint8Array): ClientConfig {
  const checked = check(bytes);
  if ('config' in checked) return toThermalConfig(checked.config);
  throw new Failure('CONFIG_INVALID', 'rules', { problems: checked.problems });
}

/** The `logging` section alone, also of a file that the camera can't load. undefined: it can't be read. */
export function parseLogging(bytes: Uint8Array): LoggingSettings | undefined {
  const json = readConfigText(bytes);
  const parsed = z.object({ logging: z._default(loggingSchema, {}) }).safeParse(json.ok ? json.value : undefined);
  return parsed.success ? toLogging(parsed.data.logging) : undefined;
}
