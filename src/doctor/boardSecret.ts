import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { boardSecretFile, unusedBoardSecret } from '../config/provision/boardSecretFile.ts';
import type { ExternalSettings } from '../config/provision/externalSettings.ts';
import type { ProvisionSettings } from '../config/provision/provisionJson.ts';
import { readBoardSecret } from '../device/boardSecret.ts';
import { fileFailure } from '../failures/fileFailure.ts';
import { type Checked, passed, warning } from './check.ts';

const UNUSED_HINT =
  'Use device.name or a device.name_source without a random part, and no X.509 key; or remove the board secret.';
const OPEN_HINT = 'Let only the agent read it: chmod 400. For a file in /sys see docs/security.md.';
const SAME_STORAGE_HINT = 'Keep it where no card can take it along (docs/security.md).';

/**
 * Checks the file of the board secret. The fact: whether the secret gives the credentials.
 * @throws Failure BOARD_SECRET_UNUSABLE
 */
export async function checkBoardSecret(
  deviceFolder: string,
  settings: ProvisionSettings,
  externalSettings?: ExternalSettings,
): Promise<Checked<boolean>> {
  const unused = unusedBoardSecret(settings, externalSettings);
  if (unused !== undefined) return { fact: false, findings: [warning(unused, UNUSED_HINT)] };
  const file = boardSecretFile(settings, externalSettings);
  if (file === undefined) return { fact: false, findings: [passed('none: a lost card loses the device')] };
  await readBoardSecret(file, deviceFolder);
  const path = resolve(deviceFolder, file.path);
  const [own, card] = await Promise.all([stat(path), stat(deviceFolder)]).catch((error: unknown) => {
    throw fileFailure(error, `look at ${path}`);
  });
  const findings = [passed(`${path} gives the credentials (${file.from})`)];
  if ((own.mode & 0o044) !== 0) {
    findings.push(warning(`other users can read it (mode ${(own.mode & 0o777).toString(8)})`, OPEN_HINT));
  }
  if (own.dev === card.dev) {
    const text = 'it is on the storage of the device folder: a lost card loses it too, and a cloned card has it too';
    findings.push(warning(text, SAME_STORAGE_HINT));
  }
  return { fact: true, findings };
}
