/** What the server may ask a camera in normal operation (docs/operate.md, "Remote requests"). */

import { type RpcResult, refused } from '../../client/rpc/methods.ts';
import { isRandom } from '../../device/nameSettings.ts';
import type { DevicePaths } from '../../device/paths.ts';
import { durableCreate } from '../../files/durableCreate.ts';
import { folderOwner } from '../../files/ownFiles.ts';
import type { Log } from '../../log/log.ts';
import { readDeviceFiles } from '../../status/deviceFiles.ts';
import { makeStatus } from '../../status/makeStatus.ts';
import { type Obstacle, reprovisionObstacle } from '../../status/reprovisionObstacle.ts';
import { shortStatusJson } from '../../status/shortStatus.ts';
import { boardId } from '../options.ts';

/** ThingsBoard closes the session for a packet of more than 64 KiB, topic included. */
const MAX_ANSWER_BYTES = 60_000;
const TRIGGER_MODE = 0o600;

const look = (paths: DevicePaths) => readDeviceFiles(paths, { boardId: boardId() });

/** The document of `status --format json`. */
export async function provisioningStatus(paths: DevicePaths): Promise<RpcResult> {
  const answer = shortStatusJson(makeStatus(await look(paths)), MAX_ANSWER_BYTES);
  if (answer !== undefined) return { answer };
  const message = 'The status document is too long for an answer';
  return refused({ reason: 'not possible', message, hint: 'Run the command status on the camera.' });
}

const impossible = ({ code, message, hint }: Obstacle): RpcResult =>
  refused({ reason: 'not possible', ...(code === undefined ? {} : { code }), message, hint });

const RANDOM = 'The next run of the agent registers a new device with a new random name.';
const NOT_RANDOM =
  'The next run of the agent registers a new device. Its name comes from provision.json, so the server refuses it while another device has that name.';
const DERIVED =
  'A board secret gives the credentials: if the server knows them, the next run of the agent uses this device again and renews its configuration.';
const AGAIN = 'If the server does not know them, its answer says what to do: status shows it.';
const FORMER = 'This device stays on the server. Delete it there when the new device has connected.';

/**
 * Requests a new run: creates provision.txt durably, unless a run that begins now could not work.
 * @throws Failure DISK_FULL, DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function reprovision(paths: DevicePaths, log: Log): Promise<RpcResult> {
  const files = await look(paths);
  const found = await reprovisionObstacle(files);
  if ('obstacle' in found) return impossible(found.obstacle);
  const attributes = { mode: TRIGGER_MODE, ...(await folderOwner(paths.provisionTxt)) };
  if (!(await durableCreate(paths.provisionTxt, attributes))) {
    const message = `${paths.provisionTxt} is there already`;
    return impossible({ message, hint: 'If it is not a file of a run that was requested, remove it.' });
  }
  const formerDevice = files.config.value?.deviceId ?? null;
  log.warn(
    'rpc.reprovision',
    'The server asked for another provisioning: created provision.txt. Normal operation ends, so that the next start provisions',
    { deviceName: formerDevice ?? '' },
  );
  const what = files.derives ? DERIVED : isRandom(found.settings.name) ? RANDOM : NOT_RANDOM;
  const message = `provision.txt was created, and normal operation ends. ${what}`;
  const next = files.derives ? AGAIN : FORMER;
  return { answer: JSON.stringify({ reprovision: 'requested', formerDevice, message, next }), ends: true };
}
