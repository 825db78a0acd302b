/** Memory and CPU of `start`, at the default interval. */

import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Figure } from './result.ts';
import type { Bench } from './sections.ts';
import { timeOf } from './timedProcess.ts';

/** The largest camera: five spots, each with its own message, at the default interval. */
const CONFIG = {
  thingsboard: { host: 'old.example', port: 1883, access_token: 'of-the-old-device', device_id: 'OLD001' },
  telemetry: {
    measurement_spots: [1, 2, 3, 4, 5].map((id) => ({
      id,
      name: `spot ${id}`,
      x: id,
      y: id,
      min_temp: 20,
      max_temp: 80,
      enabled: true,
    })),
  },
};

const SAMPLE_MS = 5000;
/** Time until the client has connected and published for the first time. */
const START_MS = 10_000;
/** USER_HZ (proc(5)). */
const TICKS_PER_SECOND = 100;

async function useOf(
  pid: number,
): Promise<{ readonly residentMb: number; readonly peakMb: number; readonly cpuSeconds: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  const inMb = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024;
  return {
    residentMb: inMb('VmRSS'),
    peakMb: inMb('VmHWM'),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
  };
}

export async function normalOperation({ workshop, node }: Bench, minutes: number): Promise<readonly Figure[]> {
  const folder = await workshop.deviceFolder();
  await writeFile(join(folder, 'thermal_config.json'), JSON.stringify(CONFIG));
  await timeOf({ node, args: [workshop.agent, 'run', '--dir', folder] });
  const child = spawn(node, [workshop.agent, 'start', '--no-provision', '--dir', folder], { stdio: 'ignore' });
  try {
    if (child.pid === undefined) throw new Error('start could not be started');
    await new Promise((resolve) => setTimeout(resolve, START_MS));
    const first = await useOf(child.pid);
    let last = first;
    const startedAt = performance.now();
    while (performance.now() - startedAt < minutes * 60_000) {
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
      last = await useOf(child.pid);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    return [
      { what: 'resident after 10 s', value: first.residentMb, unit: 'MB' },
      { what: `resident after ${minutes} min`, value: last.residentMb, unit: 'MB' },
      { what: 'peak', value: last.peakMb, unit: 'MB' },
      { what: 'CPU of one core', value: (100 * (last.cpuSeconds - first.cpuSeconds)) / seconds, unit: '%' },
    ];
  } finally {
    child.kill('SIGKILL');
  }
}
