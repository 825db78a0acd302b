import { EXIT } from '../../failures/exit.ts';
import type { DeviceStatus } from '../../status/deviceStatus.ts';
import { makeStatus } from '../../status/makeStatus.ts';
import { METRICS_BEGINNING, openMetrics } from '../../status/openMetrics.ts';
import { JSON_BEGINNING, statusJson } from '../../status/statusJson.ts';
import { statusText, TEXT_BEGINNING } from '../../status/statusText.ts';
import { waitForEnd } from '../../status/waitForEnd.ts';
import { VERSION } from '../../version.ts';
import { boardId, type FolderArguments, pathsFrom } from '../options.ts';
import { writeOutput } from '../report/writeOutput.ts';
import { stopSignal } from '../stopSignal.ts';

/** The options of `status`, as commander gives them. */
export interface StatusArguments extends FolderArguments {
  readonly format: 'text' | 'json' | 'openmetrics';
  readonly out?: string;
  readonly long?: boolean;
  readonly wait?: boolean;
  /** Seconds. */
  readonly timeout: number;
}

/**
 * Prints or writes the status of a device; with --wait, after the run has ended.
 * @returns the exit status
 * @throws Failure those of writeOutput
 */
export async function showStatus(given: StatusArguments): Promise<number> {
  const waits = given.wait === true;
  const { files, ended } = await waitForEnd(pathsFrom(given), waits ? given.timeout * 1000 : 0, {
    boardId: boardId(),
    ...(waits ? { signal: stopSignal() } : {}),
  });
  const status = makeStatus(files);
  await print(status, given);
  if (!waits || ended) return status.exitStatus;
  process.stderr.write(`thermal-provision status: the run has not ended after ${given.timeout} s\n`);
  return EXIT.TEMPFAIL;
}

async function print(status: DeviceStatus, { format, long, out = '-' }: StatusArguments): Promise<void> {
  switch (format) {
    case 'json':
      return writeOutput(statusJson(status), out, JSON_BEGINNING);
    case 'openmetrics':
      return writeOutput(openMetrics(status, VERSION), out, METRICS_BEGINNING);
    case 'text':
      return writeOutput(statusText(status, long === true), out, TEXT_BEGINNING);
  }
}
