import { dirname } from 'node:path';
import * as z from 'zod/mini';
import type { ProvisioningOrigin } from '../config/thermal/clientConfig.ts';
import type { DevicePaths } from '../device/paths.ts';
import { toFailure } from '../failures/failure.ts';
import { ensurePrivateFolder, writeOwnFile } from '../files/ownFiles.ts';
import { workedMs } from '../history/runHistory.ts';
import type { Log } from '../log/log.ts';
import { readOwnDocument } from '../state/ownDocument.ts';
import type { SnapshotDocument } from '../state/snapshotDocument.ts';
import { readSnapshot } from '../state/snapshotFile.ts';

const FORMAT = 'thermal-provision-published';
const markSchema = z.object({ format: z.literal(FORMAT), version: z.literal(1), runId: z.string() });

/** How this device was provisioned, for the fleet's dashboard: told to the server once a provisioning. */
export interface ProvisioningRecord {
  /**
   * The client attributes to publish; undefined: there is nothing (more) to tell. Never throws.
   * @param origin of the credentials in use
   */
  pending(origin: ProvisioningOrigin | undefined): Promise<string | undefined>;
  /** The server has acknowledged them; that is durable after this. Never throws. */
  published(origin: ProvisioningOrigin): Promise<void>;
}

/**
 * What is known of the run that the credentials stem from. Its snapshot is there until the next run begins; after that
 * the configuration still tells which run it was, and when.
 */
function attributesOf(origin: ProvisioningOrigin, snapshot: SnapshotDocument | undefined): string {
  const isThatRun = snapshot?.runId === origin.runId;
  return JSON.stringify({
    provisioning_run_id: origin.runId,
    provisioning_time: origin.provisionedAt,
    ...(isThatRun
      ? {
          provisioning_agent_version: snapshot.agentVersion,
          // How often the server was asked for a device.
          provisioning_attempts: snapshot.history.filter(({ state }) => state === 'request').length,
          // Time at work, by the monotonic clock: what lay between two boots does not count.
          provisioning_duration_ms: workedMs(snapshot.history),
        }
      : {}),
  });
}

async function snapshotIn(path: string): Promise<SnapshotDocument | undefined> {
  const read = await readSnapshot(path);
  return read.kind === 'snapshot' ? read.snapshot : undefined;
}

async function markedRun(path: string): Promise<string | undefined> {
  const read = await readOwnDocument(path);
  const parsed = read.kind === 'document' ? markSchema.safeParse(read.json) : undefined;
  return parsed?.data?.runId;
}

/** The record lies in the files of the run until it is published; `published.json` says for which run it was. */
export function createProvisioningRecord(paths: DevicePaths, log: Log): ProvisioningRecord {
  let told: string | undefined;
  return {
    async pending(origin) {
      if (origin === undefined || told === origin.runId) return undefined;
      try {
        told = await markedRun(paths.published);
        return told === origin.runId ? undefined : attributesOf(origin, await snapshotIn(paths.snapshot));
      } catch (error) {
        log.warn('record.unreadable', `How the device was provisioned can't be told: ${toFailure(error).message}`);
        return undefined;
      }
    },
    async published({ runId }) {
      told = runId;
      log.info('record.published', `The server knows how run ${runId} went`, { run: runId });
      try {
        await ensurePrivateFolder(dirname(paths.published));
        await writeOwnFile(paths.published, Buffer.from(`${JSON.stringify({ format: FORMAT, version: 1, runId })}\n`));
      } catch (error) {
        log.warn('record.unmarked', `It will be told again after the next start: ${toFailure(error).message}`);
      }
    },
  };
}
