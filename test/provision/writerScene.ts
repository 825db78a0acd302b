import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openSnapshotWriter } from '../../src/provision/snapshotWriter.ts';
import { type SnapshotDocument, snapshotSchema } from '../../src/state/snapshotDocument.ts';
import { START } from '../support/chartRun.ts';
import { makeFolder } from '../support/deviceFolder.ts';
import { manualClock } from '../support/manualClock.ts';

interface WriterScene {
  readonly previous?: SnapshotDocument;
  /** The folder of the snapshot is missing: every write fails. */
  readonly broken?: boolean;
}

/** A snapshot writer in its own folder. */
export async function writerScene({ previous, broken = false }: WriterScene = {}) {
  const path = join(await makeFolder(onTestFinished), 'state', 'snapshot.json');
  const repair = async (): Promise<void> => {
    await mkdir(dirname(path));
  };
  if (!broken) await repair();
  const clock = manualClock(START);
  const saved: SnapshotDocument[] = [];
  const writer = openSnapshotWriter({
    path,
    clock,
    agentVersion: '1.2.3',
    previous,
    onDurable: (snapshot) => saved.push(snapshot),
  });
  const onDisk = async (): Promise<SnapshotDocument> => snapshotSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  return { writer, clock, path, repair, saved, onDisk };
}
