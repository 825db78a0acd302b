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

/** How this device was provisioned, for the fleet's dashboard. It is published once for each provisioning. */
export interface ProvisioningRecord {
  /**
   * The client attributes to publish; undefined when there is nothing to publish. Never throws.
   * @param origin the origin of the credentials in use
   */
  pending(origin: ProvisioningOrigin | undefined): Promise<string | undefined>;
  /** Records durably that the server has acknowledged the attributes. Never throws. */
  published(origin: ProvisioningOrigin): Promise<void>;
}

/**
 * The known facts of the run that created the credentials. Its snapshot exists until the next run begins. After that
 * the configuration still has the run's id and time.
 */
function attributesOf(origin: ProvisioningOrigin, snapshot: SnapshotDocument | undefined): string {
  const isThatRun = snapshot?.runId === origin.runId;
  return JSON.stringify({
    provisioning_run_id: origin.runId,
    provisioning_time: origin.provisionedAt,
    ...(isThatRun
      ? {
          provisioning_agent_version: snapshot.agentVersion,
          // The number of provisioning requests.
          provisioning_attempts: snapshot.history.filter(({ state }) => state === 'request').length,
          // Working time by the monotonic clock. The time between two boots does not count.
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

/** Makes the record from the files of the run. `published.json` holds the id of the run whose record was published. */
export function createProvisioningRecord(paths: DevicePaths, log: Log): ProvisioningRecord {
  let publishedRun: string | undefined;
  return {
    async pending(origin) {
      if (origin === undefined || publishedRun === origin.runId) return undefined;
      try {
        publishedRun = await markedRun(paths.published);
        return publishedRun === origin.runId ? undefined : attributesOf(origin, await snapshotIn(paths.snapshot));
      } catch (error) {
        log.warn('record.unreadable', `Can't publish how the device was provisioned: ${toFailure(error).message}`);
        return undefined;
      }
    },
    async published({ runId }) {
      publishedRun = runId;
      log.info('record.published', `Published how run ${runId} provisioned the device`, { run: runId });
      try {
        await ensurePrivateFolder(dirname(paths.published));
        await writeOwnFile(paths.published, Buffer.from(`${JSON.stringify({ format: FORMAT, version: 1, runId })}\n`));
      } catch (error) {
        log.warn(
          'record.unmarked',
          `The provisioning details will be published again after the next start: ${toFailure(error).message}`,
        );
      }
    },
  };
}
