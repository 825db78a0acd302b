import { commandFor, shellWord } from './command.ts';
import type { DeviceFiles } from './deviceFiles.ts';
import type { NextStep } from './deviceStatus.ts';
import type { Problem } from './part.ts';

const isRequested = ({ trigger }: DeviceFiles): boolean => typeof trigger.value === 'number';

/** Start the agent; the trigger is put back first where it is gone. */
export function startAgain(files: DeviceFiles, text: string): NextStep {
  const run = commandFor('run', files.paths);
  if (isRequested(files)) return { text, command: run };
  return { text, command: `touch ${shellWord(files.paths.provisionTxt)} && ${run}` };
}

/** What to do about a failure of the last start, beyond its hint. */
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
      text: 'The next start of the agent tries again; to look for the cause first',
      command: commandFor('doctor', files.paths),
    };
  }
  return startAgain(files, 'Do what the hint says, then start the agent');
}

/** Somebody else has to look: this user is shut out. */
export const lookAsOwner = ({ paths }: DeviceFiles): NextStep => ({
  text: 'Look again as root or as the agent’s user',
  command: `sudo ${commandFor('status', paths)}`,
});
