import { isFinalState } from '../../machines/provision.states.ts';
import { trustedAuthorities } from '../config/authorities/trustedAuthorities.ts';
import { boardSecretFile } from '../config/provision/boardSecretFile.ts';
import { externalSettings } from '../config/provision/externalSettings.ts';
import { type ProvisionSettings, readProvisionJson } from '../config/provision/provisionJson.ts';
import type { DeviceFiles } from './deviceFiles.ts';
import { commandFor } from './nextSteps.ts';
import { type Part, problemOf } from './part.ts';

/** Why a run that begins now could not provision the device again. */
export interface Obstacle {
  /** A failure code; absent: the device has work left. */
  readonly code?: string;
  readonly message: string;
  readonly hint: string;
}

const ALREADY = 'provision.txt is there already: a new run was requested before';
const SECRET_HINT =
  'The next run needs key and secret: if they were removed after the last run, put a complete provision.json into the device folder.';

/** What the device has not finished; undefined: nothing. */
function unfinished({ trigger, holder, credentials, snapshot, paths }: DeviceFiles): Obstacle | undefined {
  const explain = `${commandFor('explain', paths)} shows what the camera does and needs.`;
  if (typeof trigger.value === 'number') return { message: ALREADY, hint: explain };
  if (holder !== null) return { message: `An agent is running (process ${holder})`, hint: 'Wait for its end.' };
  const state = snapshot.value?.state;
  if ((credentials.value ?? null) === null && (state === undefined || isFinalState(state))) return undefined;
  return { message: 'The last run is not finished', hint: explain };
}

/**
 * Looks for what would make a run fail that begins now, as far as the files tell. Nothing is changed.
 * @returns the settings of the run, or the obstacle
 */
export async function reprovisionObstacle(
  files: DeviceFiles,
): Promise<{ readonly obstacle: Obstacle } | { readonly settings: ProvisionSettings }> {
  const parts: readonly Part<unknown>[] = [files.folder, files.trigger, files.credentials, files.snapshot];
  const unreadable = parts.find(({ problem }) => problem !== undefined)?.problem;
  const first = unreadable ?? unfinished(files) ?? files.storage.problem;
  if (first !== undefined) return { obstacle: first };
  try {
    const { deviceFolder, provisionJson } = files.paths;
    const external = externalSettings(process.env);
    const { settings } = await readProvisionJson(provisionJson, external);
    await trustedAuthorities(deviceFolder, settings, 'provisioning');
    const boardSecret = boardSecretFile(settings, external);
    if (boardSecret !== undefined) {
      const { readBoardSecret } = await import('../device/boardSecret.ts');
      await readBoardSecret(boardSecret, deviceFolder);
    }
    if (files.volatile === null || settings.allowVolatileStorage === true) return { settings };
    const hint = 'Each boot would register another device. Use lasting storage (docs/operate.md) or a board secret.';
    return { obstacle: { code: 'VOLATILE_STORAGE', message: files.volatile, hint } };
  } catch (error) {
    const { code, message, hint } = problemOf(error);
    return { obstacle: { code, message, hint: code.startsWith('PROVISION_JSON_') ? `${hint} ${SECRET_HINT}` : hint } };
  }
}
