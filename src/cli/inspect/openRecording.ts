import { resolve } from 'node:path';
import { Failure } from '../../failures/failure.ts';
import { recordedRuns } from '../../report/recording.ts';
import { recordingPage } from '../../report/recordingPage.ts';
import { readEventLines } from '../../status/eventLines.ts';
import { VERSION } from '../../version.ts';
import { serveLocally } from '../../watch/localServer.ts';
import { stopped, stopSignal } from '../stopSignal.ts';

/**
 * Serves a recording until it is told to stop.
 * @throws Failure USAGE when there is nothing to show
 */
export async function openRecording(given: string): Promise<void> {
  const path = resolve(given);
  const { value: read, problem } = await readEventLines(path);
  if (problem !== undefined) throw new Failure('USAGE', problem.message, { hint: problem.hint });
  const runs = recordedRuns(read.records);
  if (runs.length === 0) {
    const why =
      read.skipped === 0 ? 'it is absent or empty' : `none of its ${read.skipped} lines is one of the agent's`;
    throw new Failure('USAGE', `${path} holds no recorded run: ${why}`, {
      hint: 'Name events.jsonl in the folder provision-state of a device, or the device folder with --dir.',
    });
  }
  const signal = stopSignal();
  const server = await serveLocally({ page: (query) => recordingPage(path, runs, query, VERSION) }, true);
  process.stdout.write(`${server.url}\n`);
  const lost = read.skipped === 0 ? '' : `; ${read.skipped} lines could not be read`;
  process.stderr.write(`${runs.length} recorded ${runs.length === 1 ? 'run' : 'runs'}${lost}. Ctrl+C ends.\n`);
  await stopped(signal);
  await server.close();
}
