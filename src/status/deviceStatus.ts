import * as z from 'zod/mini';

export const STATUS_FORMAT = 'thermal-provision-status';
export const STATUS_VERSION = 1;

/** cloud-init’s words, which operators and their tools know; `status` ends with the number beside each. */
export const STATUS_EXIT = { 'not started': 0, running: 0, done: 0, error: 1, degraded: 2 } as const;
export type StatusWord = keyof typeof STATUS_EXIT;

const time = z.iso.datetime();
const count = z.int().check(z.gte(0));

const problemSchema = z
  .strictObject({
    code: z
      .string()
      .check(z.describe('A failure code (docs/failures.md) or a condition (docs/commands.md, "Conditions").')),
    message: z.string(),
    hint: z.string().check(z.describe('What to do about it.')),
    retryable: z.boolean().check(z.describe('Whether the same step may succeed when it is tried again in a moment.')),
  })
  .check(z.meta({ title: 'Problem' }));

const onServerSchema = z
  .strictObject({
    kind: z.enum(['no device', 'one device', 'most likely none', 'unknown']),
    names: z.array(z.string()).check(z.describe('The devices that exist, or may exist.')),
    server: z.nullable(z.string()).check(z.describe('host:port')),
    why: z.string(),
  })
  .check(z.describe('What the server holds of this device’s latest run, as far as the files tell.'));

/** Everything that `status` says, for machines; status text and `explain` are made from the same. */
export const statusSchema = z.strictObject({
  format: z.literal(STATUS_FORMAT),
  version: z.literal(STATUS_VERSION),
  status: z.enum(['not started', 'running', 'done', 'error', 'degraded']),
  exitStatus: z.int().check(z.describe('Exit status of the command: 0 healthy, 1 error, 2 degraded.')),
  checkedAt: time,
  deviceFolder: z.string(),
  stateFolder: z.string(),
  device: z
    .nullable(z.string())
    .check(z.describe('Name that was drawn or granted; the camera’s own where there was no run.')),
  formerDevice: z.nullable(z.string()).check(z.describe('Device that the camera was before this run: used no more.')),
  configuredDevice: z.nullable(z.string()).check(z.describe('device_id in thermal_config.json now.')),
  server: z.nullable(z.strictObject({ host: z.string(), port: z.int(), useSsl: z.boolean() })),
  state: z.nullable(
    z.strictObject({
      name: z.string().check(z.describe('State of the chart (docs/architecture.md).')),
      step: count.check(z.describe('How far the run is, from 1.')),
      steps: count,
      since: z.string().check(z.describe('When the state was entered.')),
      interrupted: z.boolean().check(z.describe('No agent is working on it now.')),
    }),
  ),
  attempt: z.nullable(z.strictObject({ number: z.int().check(z.gte(1)), of: z.int().check(z.gte(1)) })),
  retry: z
    .nullable(
      z.strictObject({ at: time, inSeconds: count, waitingFor: z.enum(['retry', 'probe', 'verification', 'splay']) }),
    )
    .check(z.describe('The pause that an agent at work makes now.')),
  run: z.nullable(z.strictObject({ id: z.string(), startedAt: z.string(), agentVersion: z.string() })),
  runningPid: z.nullable(z.int()).check(z.describe('Process of the agent that is working now.')),
  requested: z.nullable(z.boolean()).check(z.describe('Whether provision.txt is there; null: it can’t be told.')),
  backup: z.nullable(z.string()).check(z.describe('Copy of the configuration that this run made.')),
  onServer: onServerSchema,
  errors: z.array(problemSchema).check(z.describe('Why the status is not healthy, the most important first.')),
  warnings: z.array(z.string()),
  next: z
    .nullable(z.strictObject({ text: z.string(), command: z.nullable(z.string()) }))
    .check(z.describe('What to do next; null: nothing.')),
  setAside: z.array(z.string()).check(z.describe('Files in provision-state that were moved out of the way.')),
  history: z
    .array(
      z.strictObject({
        state: z.string(),
        enteredAt: z.string(),
        durationMs: z.nullable(count),
        attempt: z.int().check(z.gte(1)),
        resumed: z.boolean(),
      }),
    )
    .check(z.describe('The states of the latest run, oldest first.')),
  events: z
    .array(
      z.strictObject({
        time: time,
        level: z.enum(['error', 'warn', 'info', 'debug']),
        runId: z.nullable(z.string()),
        state: z.nullable(z.string()),
        event: z.string(),
        message: z.string(),
      }),
    )
    .check(z.describe('The latest lines of events.jsonl, oldest first.')),
});

export type DeviceStatus = Readonly<z.infer<typeof statusSchema>>;
export type NextStep = NonNullable<DeviceStatus['next']>;
export type OnServer = DeviceStatus['onServer'];
