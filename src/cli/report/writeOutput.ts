import { resolve } from 'node:path';
import { Failure } from '../../failures/failure.ts';
import { errnoOf, fileFailure } from '../../failures/fileFailure.ts';
import { durableReplace } from '../../files/durable.ts';
import { readLimited } from '../../files/readLimited.ts';

/** Readable for all, because reports have no secrets. */
const MODE = 0o644;
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Writes a report, and prints the path of its file.
 * @param out a path; `-`: standard output
 * @param beginning the first characters of every such report: only a file that begins with them is replaced
 * @throws Failure USAGE (another file is in the way), and those of durableReplace and printWhole
 */
export async function writeOutput(text: string, out: string, beginning: string): Promise<void> {
  if (out === '-') {
    printWhole(text);
    return;
  }
  const path = resolve(out);
  await requireReplaceable(path, beginning);
  await durableReplace(path, Buffer.from(text), { mode: MODE });
  process.stdout.write(`${path}\n`);
}

/**
 * Prints a document. A reader may leave early (`| head`). A full disk is an error, because the caller keeps the file.
 * @throws Failure DISK_FULL, DISK_ERROR
 */
export function printWhole(text: string): void {
  process.stdout.write(text);
  const { errored } = process.stdout;
  if (errored !== null && errnoOf(errored) !== 'EPIPE') throw fileFailure(errored, 'write standard output');
}

/** A wrong --out must not replace provision.json or the configuration. */
async function requireReplaceable(path: string, beginning: string): Promise<void> {
  const read = await readLimited(path, MAX_BYTES, false);
  if (!read.ok && read.problem === 'absent') return;
  if (!read.ok && read.problem === 'unreadable') throw fileFailure(read.cause, `write ${path}`);
  if (read.ok && (read.bytes.length === 0 || read.bytes.toString('utf8', 0, beginning.length) === beginning)) return;
  throw new Failure('USAGE', 'notAReport', { path });
}
