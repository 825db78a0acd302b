import * as z from 'zod/mini';

export const STATUS_FORMAT = 'thermal-provision-status';
export const STATUS_VERSION = 1;

/** The words of cloud-init, which operators and their tools know, with the exit status of each. */
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
    retryable: z.boolean().check(z.describe('Whether the same step may succeed if it is tried again soon.')),
  })
  .check(z.meta({ title: 'Problem' }));

const onServerSchema = z
  .strictObject({
    kind: z.enum(['no device', 'one device', 'most likely none', 'unknown']),
    names: z.array(z.string()).check(z.describe('Devices that exist or may exist.')),
    server: z.nullable(z.string()).check(z.describe('host:port')),
    why: z.string(),
  })
  .check(z.describe('Devices of the latest run on the server, as far as the files tell.'));

/** Everything that `status` says, for machines. The text of `status` and `explain` is made from it. */
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
    .check(
      z.describe(
        'Name that was generated, or that the server issued; without a run, the device in thermal_config.json.',
      ),
    ),
  formerDevice: z.nullable(z.string()).check(z.describe('Previous device, no longer used; delete it on the server.')),
  configuredDevice: z.nullable(z.string()).check(z.describe('device_id in thermal_config.json now.')),
  server: z.nullable(z.strictObject({ host: z.string(), port: z.int(), useSsl: z.boolean() })),
  state: z.nullable(
    z.strictObject({
      name: z.string().check(z.describe('State of the chart (docs/architecture.md).')),
      step: count.check(z.describe('Step of the run, from 1.')),
      steps: count,
      since: z.string().check(z.describe('When the state was entered.')),
      interrupted: z.boolean().check(z.describe('The run is unfinished, and no agent is running.')),
    }),
  ),
  attempt: z.nullable(z.strictObject({ number: z.int().check(z.gte(1)), of: z.int().check(z.gte(1)) })),
  retry: z
    .nullable(
      z.strictObject({ at: time, inSeconds: count, waitingFor: z.enum(['retry', 'probe', 'verification', 'splay']) }),
    )
    .check(z.describe('Pause of the agent that is running now.')),
  run: z.nullable(z.strictObject({ id: z.string(), startedAt: z.string(), agentVersion: z.string() })),
  runningPid: z.nullable(z.int()).check(z.describe('Process of the agent that is running now.')),
  requested: z
    .nullable(z.boolean())
    .check(z.describe("Whether provision.txt is there; null: unknown, the folder can't be read.")),
  backup: z.nullable(z.string()).check(z.describe('Backup of the configuration that this run made.')),
  onServer: onServerSchema,
  errors: z.array(problemSchema).check(z.describe('What is wrong, the most important first.')),
  warnings: z.array(z.string()),
  next: z
    .nullable(z.strictObject({ text: z.string(), command: z.nullable(z.string()) }))
    .check(z.describe('What to do next; null: nothing.')),
  setAside: z.array(z.string()).check(z.describe('Files in provision-state that were set aside.')),
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
