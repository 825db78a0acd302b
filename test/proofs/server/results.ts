/** The results of the suite: the JSON file, from which it resumes, and the table. */

import { readFile, rename, writeFile } from 'node:fs/promises';
import * as z from 'zod/mini';

const resultSchema = z.object({
  /** The server that was tested. */
  server: z.string(),
  scenario: z.string(),
  outcome: z.enum(['passed', 'failed', 'left out']),
  seconds: z.number(),
  /** Devices in the profiles of the scenario; null: not known. */
  devices: z.nullable(z.number()),
  /** Why the scenario failed or was left out, or what was seen. */
  reason: z.nullable(z.string()),
});
export type Result = z.infer<typeof resultSchema>;

const documentSchema = z.object({ version: z.literal(1), results: z.array(resultSchema) });

/** @throws Error when the file exists but is not one of this suite */
export async function readResults(path: string): Promise<readonly Result[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return [];
  const parsed = documentSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`${path} does not hold results of this suite`);
  return parsed.data.results;
}

/** Replaces the file, so that an interrupted suite leaves a complete one. */
export async function writeResults(path: string, results: readonly Result[]): Promise<void> {
  await writeFile(`${path}.tmp`, `${JSON.stringify({ version: 1, results }, null, 2)}\n`);
  await rename(`${path}.tmp`, path);
}

const MARK = { passed: 'passed', failed: 'FAILED', 'left out': 'left out' } as const;
const HEADINGS = ['scenario', 'outcome', 'time', 'devices', 'remarks'];

/** One line for each result. */
export function table(results: readonly Result[]): string {
  const rows = results.map(({ scenario, outcome, seconds, devices, reason }) => [
    scenario,
    MARK[outcome],
    `${seconds.toFixed(1)} s`,
    devices === null ? '?' : String(devices),
    reason?.split('\n')[0] ?? '',
  ]);
  const widths = HEADINGS.map((_, column) => Math.max(...[HEADINGS, ...rows].map((row) => row[column]?.length ?? 0)));
  return [HEADINGS, ...rows]
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}
