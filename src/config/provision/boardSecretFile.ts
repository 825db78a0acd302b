import type { BoardSecretFile } from '../../device/boardSecret.ts';
import { isRandom } from '../../device/nameSettings.ts';
import type { ExternalSettings } from './externalSettings.ts';
import type { ProvisionSettings } from './provisionSettings.ts';

/** The settings that decide whether the credentials can be derived. */
type DerivingSettings = Pick<ProvisionSettings, 'name' | 'credentials' | 'boardSecretFile'>;

/**
 * The file of the board secret. The environment variable is stronger than provision.json.
 * @returns undefined when there is none, or when it can bring no device back: with a random name, or a random X.509 key
 */
export function boardSecretFile(
  { name, credentials, boardSecretFile: path }: DerivingSettings,
  externalSettings: ExternalSettings = {},
): BoardSecretFile | undefined {
  if (isRandom(name) || credentials === 'x509') return undefined;
  const { boardSecretFile: external } = externalSettings;
  if (external !== undefined) return { path: external, from: 'THERMAL_BOARD_SECRET_FILE' };
  return path === undefined ? undefined : { path, from: 'provisioning.board_secret_file' };
}

/** Why a board secret that is set is not used; undefined: it is used, or there is none. */
export function unusedBoardSecret(
  settings: DerivingSettings,
  externalSettings: ExternalSettings = {},
): string | undefined {
  const isSet = settings.boardSecretFile !== undefined || externalSettings.boardSecretFile !== undefined;
  if (!isSet || boardSecretFile(settings, externalSettings) !== undefined) return undefined;
  const why = settings.credentials === 'x509' ? 'an X.509 key is always random' : 'the device name is random';
  return `The board secret is not used, because ${why}: a lost card loses the device`;
}
