import { shownProblems } from './fleetCheck.ts';
import type { FleetResult } from './fleetResult.ts';

const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);

const ROWS: readonly (readonly [string, (result: FleetResult) => string])[] = [
  ['devices', ({ devices }) => String(devices)],
  ['at the same time', ({ concurrency, devices }) => String(Math.min(concurrency, devices))],
  ['succeeded', ({ succeeded }) => String(succeeded)],
  ['retried', ({ retried }) => String(retried)],
  ['starts needed: 1, 2, …', ({ boots }) => boots.join(', ')],
  ['failed, by code', ({ failed }) => entries(failed)],
  ['faults injected', ({ simulator }) => String(simulator?.counts.faults ?? '–')],
  ['names taken by others', ({ simulator }) => String(simulator?.namesTaken ?? '–')],
  ['devices on the server', ({ simulator }) => String(simulator?.registered ?? '–')],
  ['seconds', ({ seconds }) => seconds.toFixed(1)],
  ['devices per second', ({ devicesPerSecond }) => devicesPerSecond.toFixed(1)],
  ['ms per device in all', ({ seconds, devices }) => ((1000 * seconds) / devices).toFixed(1)],
  ['ms from start to end: p50', ({ msPerDevice }) => msPerDevice.p50.toFixed(0)],
  ['p95', ({ msPerDevice }) => msPerDevice.p95.toFixed(0)],
  ['p99', ({ msPerDevice }) => msPerDevice.p99.toFixed(0)],
  ['max', ({ msPerDevice }) => msPerDevice.max.toFixed(0)],
  ['CPU ms per device: agent', ({ cpuMsPerDevice }) => cpuMsPerDevice.toFixed(1)],
  ['JavaScript part of it', ({ threadMsPerDevice }) => threadMsPerDevice?.toFixed(1) ?? '–'],
  ['simulator', ({ simulator }) => simulator?.cpuMsPerDevice.toFixed(1) ?? '–'],
  ['MB of this process: peak', ({ memory }) => megabytes(memory.peakBytes)],
  ['increase since start', ({ memory }) => megabytes(memory.peakBytes - memory.baseBytes)],
  ['kB kept per device', ({ memory, devices }) => (memory.keptBytes / 1024 / devices).toFixed(2)],
  ['MB of the machine: peak', ({ memory }) => megabytes(memory.machineBytes)],
  ['MB of the simulator: peak', ({ simulator }) => (simulator === null ? '–' : megabytes(simulator.peakBytes))],
];

function entries(record: Readonly<Record<string, number>>): string {
  const texts = Object.entries(record).map(([code, count]) => `${code} ${count}`);
  return texts.length === 0 ? '–' : texts.join(', ');
}

/** One column for each fleet. */
export function resultTable(results: readonly FleetResult[]): string {
  const rows = ROWS.map(([name, cell]) => [name, ...results.map(cell)]);
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
  const problems = results.flatMap((result) => shownProblems(result.problems));
  return [...lines, ...problems.map((problem) => `PROBLEM: ${problem}`)].join('\n');
}

/** The conditions of a fleet, as text. */
export function settingText({ processes, server, folder, faults }: FleetResult): string {
  const how = processes ? 'a process for each device' : 'all devices in one process';
  const wrong = faults === null ? '' : `; faults with seed ${faults}`;
  return `${how}, against ${server}; folders in ${folder}${wrong}`;
}
