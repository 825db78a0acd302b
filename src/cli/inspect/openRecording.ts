import { resolve } from 'node:path';
import { requireDeviceFolder, requireStateFolder } from '../../device/folder.ts';
import type { DevicePaths } from '../../device/paths.ts';
import { Failure } from '../../failures/failure.ts';
import { recordedRuns } from '../../history/recordedRuns.ts';
import { recordingPage } from '../../report/recordingPage.ts';
import { readEventLines } from '../../status/eventLines.ts';
import { VERSION } from '../../version.ts';
import { serveLocally } from '../../watch/localServer.ts';
import { stopped, stopSignal } from '../stopSignal.ts';

/** The recording of a device. @throws Failure DEVICE_FOLDER_MISSING, USAGE (--state-dir), FILE_NOT_PERMITTED */
export async function recordingIn(paths: DevicePaths): Promise<string> {
  await requireDeviceFolder(paths.deviceFolder);
  await requireStateFolder(paths);
  return paths.events;
}

/**
 * Serves a recording until SIGINT or SIGTERM.
 * @throws Failure USAGE if the file has no recorded run
 */
export async function openRecording(given: string): Promise<void> {
  const path = resolve(given);
  const { value: read, problem } = await readEventLines(path);
  if (problem !== undefined) {
    throw new Failure('USAGE', 'recordingUnreadable', { problem: problem.message, advice: problem.hint });
  }
  const runs = recordedRuns(read.records);
  if (runs.length === 0) {
    if (read.skipped === 0) throw new Failure('USAGE', 'recordingEmpty', { path });
    throw new Failure('USAGE', 'recordingForeign', { path, lines: read.skipped });
  }
  const signal = stopSignal();
  const server = await serveLocally({ page: (query) => recordingPage(path, runs, query, VERSION) }, true);
  process.stdout.write(`${server.url}\n`);
  const skipped = read.skipped === 0 ? '' : `; ${read.skipped} lines could not be read`;
  process.stderr.write(
    `${runs.length} recorded ${runs.length === 1 ? 'run' : 'runs'}${skipped}. Press Ctrl+C to end.\n`,
  );
  await stopped(signal);
  await server.close();
}
