import { join } from 'node:path';
import type { DevicePaths } from '../device/paths.ts';
import type { DeviceFiles } from './deviceFiles.ts';
import type { NextStep } from './deviceStatus.ts';
import type { Problem } from './part.ts';

const PLAIN = /^[\w@%+=:,./-]+$/;

/** A text as one word of a POSIX shell. */
const shellWord = (text: string): string => (PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** A command of this program for the same device, ready to be typed in any folder. */
export function commandFor(name: string, { deviceFolder, stateFolder }: DevicePaths): string {
  const isDefault = join(deviceFolder, 'provision-state') === stateFolder;
  const stateDir = isDefault ? '' : ` --state-dir ${shellWord(stateFolder)}`;
  return `thermal-provision ${name} --dir ${shellWord(deviceFolder)}${stateDir}`;
}

const isRequested = ({ trigger }: DeviceFiles): boolean => typeof trigger.value === 'number';

/** Starts the agent. If provision.txt is missing, the command creates it first. */
export function startAgain(files: DeviceFiles, text: string): NextStep {
  const run = commandFor('run', files.paths);
  if (isRequested(files)) return { text, command: run };
  return { text, command: `touch ${shellWord(files.paths.provisionTxt)} && ${run}` };
}

const RENAME_JSON = 'rename the file to provision.json (see the warning)';

/** What is missing before this device can be provisioned. */
export function toProvision(files: DeviceFiles): NextStep {
  const { target, nearMisses, paths } = files;
  const isNear = nearMisses.trigger.length > 0;
  const file = nearMisses.provisionJson.length > 0 ? RENAME_JSON : 'put provision.json into the device folder';
  const steps = [
    ...(target.value === null ? [file] : []),
    ...(target.problem === undefined ? [] : ['correct provision.json (see doctor)']),
    ...(isNear ? ['correct provision.txt (see the warning)'] : []),
  ];
  const text = `To provision this device, ${steps.map((step) => `${step}, `).join('')}${steps.length === 0 ? '' : 'then '}run`;
  return isNear ? { text, command: commandFor('run', paths) } : startAgain(files, text);
}

/** What to do after a failure of the last start, in addition to its hint. */
export function afterFailure(files: DeviceFiles, problem: Problem): NextStep {
  const { code, retryable } = problem;
  if (code === 'LOCKED') {
    return { text: 'Wait until the other agent has ended', command: commandFor('status --wait', files.paths) };
  }
  if (code === 'SNAPSHOT_NEWER' || code === 'CREDENTIALS_NEWER') {
    return { text: 'Install the newer agent again, then start it', command: commandFor('run', files.paths) };
  }
  if (retryable && isRequested(files)) {
    return {
      text: 'The next start of the agent tries again. To find the cause first',
      command: commandFor('doctor', files.paths),
    };
  }
  // Version 1.0.0 recorded the hint at the end of the message.
  const advice = problem.hint === '' ? 'message' : 'hint';
  return startAgain(files, `Do what the ${advice} says, then start the agent`);
}

/** For a user who may not read the files. */
export const lookAsOwner = ({ paths }: DeviceFiles): NextStep => ({
  text: "Run the command as root or as the agent's user",
  command: `sudo ${commandFor('status', paths)}`,
});
