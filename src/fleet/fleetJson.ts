import * as z from 'zod/mini';
import { causesOf, countsOf } from './causes.ts';
import { type Fleet, fleetExit, REFUSALS, STATUS_ORDER } from './fleet.ts';

const FLEET_FORMAT = 'thermal-provision-fleet';
const FLEET_VERSION = 1;
/** Every document begins with this text. */
export const FLEET_BEGINNING = `{\n  "format": "${FLEET_FORMAT}"`;

const count = z.int().check(z.gte(0));
const time = z.nullable(z.iso.datetime());
const status = z.enum(['not started', 'running', 'done', 'error', 'degraded']);

/** Everything that `fleet` says, for machines (docs/fleet.schema.json). */
export const fleetSchema = z.strictObject({
  format: z.literal(FLEET_FORMAT),
  version: z.literal(FLEET_VERSION),
  madeAt: z.iso.datetime(),
  exitStatus: z.int().check(z.describe('Exit status of the command: 0 healthy, 1 error, 2 degraded.')),
  count: count.check(z.describe('Number of cameras.')),
  older: count.check(z.describe('Documents of the same cameras that are older; they do not count.')),
  states: z
    .array(z.strictObject({ status, count }))
    .check(z.describe('Cameras by status, those that need somebody first.')),
  codes: z
    .array(z.strictObject({ code: z.string(), count }))
    .check(z.describe('Cameras that need somebody, by the code of the most important error.')),
  versions: z
    .array(z.strictObject({ agentVersion: z.nullable(z.string()), count }))
    .check(z.describe('Cameras by the agent of the latest run; null: no run is known.')),
  causes: z
    .array(
      z.strictObject({
        status,
        code: z.string(),
        server: z.nullable(z.string()),
        message: z.string().check(z.describe('Empty if the messages of these cameras differ.')),
        hint: z.string().check(z.describe('What to do; <device> stands for the name of each camera.')),
        cameras: z.array(z.string()).check(z.describe('Names.')),
      }),
    )
    .check(z.describe('Cameras that need somebody, grouped.')),
  refusals: z
    .array(z.strictObject({ refusal: z.enum(REFUSALS), count }))
    .check(z.describe('Inputs that are not counted as cameras.')),
  refused: z
    .array(z.strictObject({ source: z.string(), refusal: z.enum(REFUSALS), why: z.string() }))
    .check(z.describe('These inputs; at most 10,000.')),
  cameras: z
    .array(
      z.strictObject({
        name: z.string().check(z.describe('The device, or the source if the camera has no device.')),
        device: z.nullable(z.string()),
        source: z.string().check(z.describe('File or folder, with the line if it is not the first.')),
        status,
        code: z.nullable(z.string()).check(z.describe('Code of the most important error; null: needs nobody.')),
        message: z.nullable(z.string()),
        hint: z.nullable(z.string()),
        server: z.nullable(z.string()).check(z.describe('host:port')),
        state: z.nullable(z.string()).check(z.describe('State of the chart (docs/architecture.md).')),
        since: time.check(z.describe('When the state was entered.')),
        seenAt: time.check(z.describe('When the document was made, or when the folder recorded something last.')),
        durationMs: z.nullable(count).check(z.describe('Working time of the latest run.')),
        agentVersion: z.nullable(z.string()),
        runId: z.nullable(z.string()),
      }),
    )
    .check(z.describe('All cameras, those that need somebody first.')),
});

const isoOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** The fleet for machines. @param now ms since the epoch */
export function fleetJson(fleet: Fleet, now: number): string {
  const { cameras, older, refused, refusals } = fleet;
  const states = new Map(countsOf(cameras.map((camera) => camera.status)));
  const document: z.infer<typeof fleetSchema> = {
    format: FLEET_FORMAT,
    version: FLEET_VERSION,
    madeAt: new Date(now).toISOString(),
    exitStatus: fleetExit(fleet),
    count: cameras.length,
    older,
    states: STATUS_ORDER.map((word) => ({ status: word, count: states.get(word) ?? 0 })),
    codes: countsOf(cameras.flatMap(({ problem }) => problem?.code ?? [])).map(([code, number]) => ({
      code,
      count: number,
    })),
    versions: countsOf(cameras.map(({ agentVersion }) => agentVersion)).map(([agentVersion, number]) => ({
      agentVersion,
      count: number,
    })),
    causes: causesOf(cameras).map((cause) => ({ ...cause, cameras: cause.cameras.map(({ name }) => name) })),
    refusals: REFUSALS.map((refusal) => ({ refusal, count: refusals[refusal] })),
    refused: [...refused],
    cameras: cameras.map(({ problem, since, seenAt, ...camera }) => ({
      ...camera,
      code: problem?.code ?? null,
      message: problem?.message ?? null,
      hint: problem?.hint ?? null,
      since: isoOf(since),
      seenAt: isoOf(seenAt),
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
