import { toFailure } from '../failures/failure.ts';
import { isJournalStream, withPriority } from '../systemd/journald.ts';

/** Does a command's work; whatever it throws, at whatever time, is told, and sets the exit status. */
export async function guarded(work: () => Promise<unknown>): Promise<void> {
  // Who reads our output may go away; that is no reason to stop a provisioning.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  // Node would end with 1, which is no documented status; what is on disk is consistent at every moment.
  process.on('uncaughtException', (error) => process.exit(report(error)));
  try {
    await work();
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** Tells what ended the program. @returns the exit status */
function report(error: unknown): number {
  const failure = toFailure(error);
  const text = `thermal-provision: ${failure.message}\n  ${failure.hint}`;
  process.stderr.write(`${isJournalStream(process.env) ? withPriority('error', text) : text}\n`);
  return failure.exitStatus;
}
