import { spawn } from 'node:child_process';
import * as z from 'zod';
import type { DevicePaths } from '../../src/device/paths.ts';
import type { Boot } from './deviceRun.ts';

/** More than the nine minutes after which a run ends itself. */
const LIMIT_MS = 10 * 60_000;

const lineSchema = z.object({ event: z.string(), code: z.string().optional() });

function eventsIn(output: string): readonly z.infer<typeof lineSchema>[] {
  return output.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    return [lineSchema.parse(JSON.parse(line))];
  });
}

/** Starts the shipped program, in a process for each start. */
export function bootsAsProcess(program: string, paths: (index: number) => DevicePaths): Boot {
  return (index) =>
    new Promise((resolve, reject) => {
      const folder = paths(index).deviceFolder;
      const child = spawn(process.execPath, [program, 'run', '--dir', folder, '--log-format', 'json'], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { PATH: process.env.PATH, THERMAL_BOARD_ID: `fleet-${index}` },
        timeout: LIMIT_MS,
        killSignal: 'SIGKILL',
      });
      let output = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      child.once('error', reject);
      child.once('close', (status, signal) => {
        const events = eventsIn(output);
        const retries = events.filter(({ event }) => event === 'backoff.waiting').length;
        const failure = events.find(({ event }) => event === 'run.failed')?.code;
        const end = status === 0 ? 'provisioned' : (failure ?? `ended by ${signal ?? `status ${status}`}`);
        resolve({ end, retries });
      });
    });
}
