import { EXIT } from '../../failures/exit.ts';
import { makeStatus } from '../../status/makeStatus.ts';
import { statusJson } from '../../status/statusJson.ts';
import { statusText } from '../../status/statusText.ts';
import { waitForEnd } from '../../status/waitForEnd.ts';
import { boardId, type FolderArguments, pathsFrom } from '../options.ts';
import { stopSignal } from '../stopSignal.ts';

/** The options of `status`, as commander gives them. */
export interface StatusArguments extends FolderArguments {
  readonly format: 'text' | 'json';
  readonly long?: boolean;
  readonly wait?: boolean;
  /** Seconds. */
  readonly timeout: number;
}

/**
 * Prints the status of a device; with --wait, after the run has ended.
 * @returns the exit status
 */
export async function showStatus(given: StatusArguments): Promise<number> {
  const waits = given.wait === true;
  const { files, ended } = await waitForEnd(pathsFrom(given), waits ? given.timeout * 1000 : 0, {
    boardId: boardId(),
    ...(waits ? { signal: stopSignal() } : {}),
  });
  const status = makeStatus(files);
  process.stdout.write(given.format === 'json' ? statusJson(status) : statusText(status, given.long === true));
  if (!waits || ended) return status.exitStatus;
  process.stderr.write(`thermal-provision status: the run has not ended after ${given.timeout} s\n`);
  return EXIT.TEMPFAIL;
}
