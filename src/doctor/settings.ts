import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ExternalSettings } from '../config/provision/externalSettings.ts';
import { type ProvisionSettings, readProvisionJson } from '../config/provision/provisionJson.ts';
import { requireScrubbable } from '../config/provision/scrubSecret.ts';
import { hostAndPort } from '../endpoint.ts';
import { fileFailure } from '../failures/fileFailure.ts';
import { readMountTable } from '../files/mountTable.ts';
import { type Checked, passed, warning } from './check.ts';
import { checkClientKey } from './clientCertificate.ts';

/** Checks provision.json and the external settings: all problems at once, and whether other users can read the file. */
export async function checkSettings(
  own: string,
  externalSettings?: ExternalSettings,
): Promise<Checked<ProvisionSettings>> {
  const { settings, warnings, notes, path } = await readProvisionJson(own, externalSettings);
  if (settings.scrub) await requireScrubbable(path, own, await readMountTable());
  const { mode } = await stat(path).catch((error: unknown) => {
    throw fileFailure(error, `look at ${path}`);
  });
  const open = (mode & 0o044) !== 0;
  return {
    fact: settings,
    findings: [
      passed(
        `complete: ${hostAndPort(settings)} ${settings.useSsl ? 'with' : 'without'} TLS${settings.credentials === undefined ? '' : `, credentials "${settings.credentials}"`}`,
      ),
      ...(await checkClientKey(dirname(own))),
      ...notes.map(passed),
      ...warnings.map((text) => warning(text, `Correct ${path}, or ignore this warning if the setting is intended.`)),
      ...(open
        ? [
            warning(
              `other users can read the secret in it (mode ${(mode & 0o777).toString(8)})`,
              `Run: chmod 600 ${path}`,
            ),
          ]
        : []),
    ],
  };
}
