import { openEventsFile } from '../../device/eventsFile.ts';
import { acquireLock } from '../../device/lock.ts';
import type { DevicePaths } from '../../device/paths.ts';
import { FAILURES, isFailureCode } from '../../failures/catalogue.ts';
import { EXIT } from '../../failures/exit.ts';
import type { LineFile } from '../../files/appendLimited.ts';
import { setAside } from '../../files/ownFiles.ts';
import { formatJson } from '../../log/format.ts';
import { createLog } from '../../log/log.ts';
import { type DeviceFiles, readDeviceFiles } from '../../status/deviceFiles.ts';
import { oneLine } from '../../status/plainText.ts';
import { planReset, type ResetPlan } from '../../status/resetPlan.ts';
import { systemClock } from '../../time/clock.ts';
import { boardId, type FolderArguments, pathsFrom } from '../options.ts';
import { askYes } from '../terminal/askYes.ts';

/** The options of `reset`, as commander gives them. */
export interface ResetArguments extends FolderArguments {
  readonly yes?: boolean;
}

const say = (text: string): void => void process.stdout.write(`${oneLine(text)}\n`);

/**
 * Gives up an unfinished run: asks, then sets its files aside under the lock.
 * @returns the exit status
 * @throws Failure USAGE, LOCKED, DISK_ERROR, FOLDER_NOT_WRITABLE, FILE_NOT_PERMITTED
 */
export async function resetRun(options: ResetArguments): Promise<number> {
  const paths = pathsFrom(options);
  const files = await look(paths);
  const { folder } = files;
  if (folder.problem !== undefined) return refuse(folder.problem.message, folder.problem.hint, folder.problem.code);
  const plan = await planReset(files);
  if (plan.kind === 'nothing') {
    say(`${plan.why}.`);
    return EXIT.OK;
  }
  // Before the question: while an agent is running, the answer does not matter.
  if (files.holder !== null) {
    const why = `An agent is running on this folder (process ${files.holder})`;
    return refuse(why, FAILURES.LOCKED.hint);
  }
  if (plan.kind === 'refused') return refuse(plan.why, plan.next, unreadableCode(files));
  say(`Giving up run ${files.snapshot.value?.runId ?? '(unknown)'}:`);
  for (const consequence of plan.consequences) say(`- ${consequence}`);
  if (options.yes !== true && !(await askYes('Give the run up?'))) {
    say('Nothing was changed.');
    return EXIT.OK;
  }
  return carryOut(paths, plan);
}

const look = (paths: DevicePaths): Promise<DeviceFiles> => readDeviceFiles(paths, { boardId: boardId() });

/** The code of the file that could not be read, which decides the exit status. */
const unreadableCode = ({ snapshot, credentials }: DeviceFiles): string | undefined =>
  snapshot.problem?.code ?? credentials.problem?.code;

function refuse(why: string, next: string, code: string = 'LOCKED'): number {
  process.stderr.write(`thermal-provision reset: refused: ${oneLine(why)}\n  ${oneLine(next)}\n`);
  return isFailureCode(code) ? FAILURES[code].exitStatus : EXIT.TEMPFAIL;
}

async function carryOut(paths: DevicePaths, planned: Extract<ResetPlan, { kind: 'reset' }>): Promise<number> {
  const lock = await acquireLock(paths.deviceFolder, paths.stateFolder);
  let events: LineFile | undefined;
  try {
    events = await openEventsFile(paths.events);
    // An agent may have run while the question was on the screen.
    const plan = await planReset(await look(paths));
    if (plan.kind !== 'reset' || plan.version !== planned.version) {
      return refuse('The run has changed in the meantime', 'Read the output of status, then decide again.');
    }
    const clock = systemClock();
    const moved: string[] = [];
    for (const path of plan.aside) moved.push(await setAside(path, 'reset', clock.now()));
    const log = createLog((record) => events?.append(formatJson(record)), clock, {
      runId: null,
      state: null,
      attempt: null,
    });
    log.warn('run.reset', `The run was given up by an operator. ${plan.consequences[0] ?? ''}`, { movedTo: moved });
    for (const path of moved) say(`set aside: ${path}`);
    say('The run was given up.');
    return EXIT.OK;
  } finally {
    events?.close();
    await lock.release();
  }
}
