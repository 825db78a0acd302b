import { listBackups } from '../config/thermal/backups.ts';
import { cameraProblems } from '../config/thermal/cameraRules.ts';
import { chooseBase } from '../config/thermal/configBase.ts';
import { requireReplaceable } from '../config/thermal/replacement.ts';
import { readThermalConfig, type ThermalConfigFile } from '../config/thermal/thermalConfig.ts';
import { readMountTable } from '../files/mountTable.ts';
import { type Checked, type Finding, passed, warning } from './check.ts';
import { checkConfiguredCertificate } from './clientCertificate.ts';

/** Checks that thermal_config.json can be read and replaced, and that the camera can load it. */
export async function checkConfiguration(deviceFolder: string): Promise<Checked<ThermalConfigFile>> {
  const config = await readThermalConfig(deviceFolder);
  await requireReplaceable(config, await readMountTable());
  if (!config.exists) return { fact: config, findings: [passed('does not exist yet; provisioning creates it')] };
  const findings = config.usable ? brokenRules(config) : [await unusable(deviceFolder, config)];
  if ((config.mode & 0o004) !== 0) {
    const mode = config.mode.toString(8);
    findings.push(warning(`every user can read the credentials in it (mode ${mode})`, `Run: chmod o-r ${config.path}`));
  }
  const fine = passed(`can be read and replaced (mode ${config.mode.toString(8)}, owner ${config.uid})`);
  const certificate = await checkConfiguredCertificate(deviceFolder, config.bytes);
  return { fact: config, findings: [fine, ...findings, ...certificate] };
}

function brokenRules({ path, problems, repair }: ThermalConfigFile): Finding[] {
  const left = repair === undefined ? problems : cameraProblems(repair.bytes);
  const findings = left.map((problem) =>
    warning(problem, 'The camera may refuse to load this file. Provisioning corrects only the credentials.'),
  );
  return repair === undefined ? findings : [warning(`${path} ${repair.problem}`, REPAIR_HINT), ...findings];
}

const REPAIR_HINT = 'The camera refuses to load this file. Provisioning backs it up and repairs it: all settings stay.';

async function unusable(deviceFolder: string, config: ThermalConfigFile): Promise<Finding> {
  const base = await chooseBase(config, await listBackups(deviceFolder));
  const source = base.from === 'backup' ? `the backup ${base.name}` : 'the defaults';
  return warning(
    `${config.path} ${config.problems.join('; ')}`,
    `Provisioning would back up this file and use the settings of ${source}. Other backups: thermal-provision backups list`,
  );
}
