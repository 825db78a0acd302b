import { parseLogging } from '../config/thermal/cameraRules.ts';
import { logFilePath } from '../config/thermal/clientConfig.ts';
import { foreseenLineFileProblem } from '../files/lineFileProblem.ts';
import { type Checked, passed, skipped, warning } from './check.ts';

/** Checks the log file of normal operation. @param config content of thermal_config.json; undefined: there is none */
export async function checkLogFile(deviceFolder: string, config: Uint8Array | undefined): Promise<Checked<never>> {
  const logging = parseLogging(config ?? Buffer.from('{}'));
  if (logging === undefined) return { findings: [skipped("skipped: the section logging can't be read")] };
  const path = logFilePath(logging, deviceFolder);
  if (path === undefined) return { findings: [passed('not used: "start" logs to standard error')] };
  const problem = await foreseenLineFileProblem(path);
  if (problem === undefined) return { findings: [passed(`${path} appears writable`)] };
  const finding = warning(
    `${path} can't be written: ${problem}; "start" would log to standard error`,
    'Correct logging.log_file in thermal_config.json, or let the user of "start" write to this file and its folder.',
  );
  return { findings: [finding] };
}
