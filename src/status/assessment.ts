import { hasReached, isFinalState } from '../../machines/provision.states.ts';
import { FAILURES, isFailureCode } from '../failures/catalogue.ts';
import { Failure } from '../failures/failure.ts';
import type { SnapshotDocument } from '../state/snapshotDocument.ts';
import { condition } from './condition.ts';
import { conditionAfterSuccess } from './conditionAfterSuccess.ts';
import type { DeviceFiles } from './deviceFiles.ts';
import type { NextStep, StatusWord } from './deviceStatus.ts';
import { afterFailure, commandFor, lookAsOwner, startAgain, toProvision } from './nextSteps.ts';
import { onServer } from './onServer.ts';
import { type Problem, problemOf } from './part.ts';
import { startFailure } from './startFailure.ts';

/** The status word of a device, the reasons, and what to do. */
export interface Assessment {
  readonly word: StatusWord;
  readonly errors: readonly Problem[];
  readonly next: NextStep | null;
  /** Whether the next start of the agent has work to do. */
  readonly unfinished: boolean;
}

const assessment = (
  word: StatusWord,
  errors: readonly (Problem | undefined)[],
  next: NextStep | null,
  unfinished = false,
): Assessment => ({ word, errors: errors.filter((error) => error !== undefined), next, unfinished });

const isDamage = (problem: Problem): boolean =>
  problem.code === 'SNAPSHOT_DAMAGED' || problem.code === 'CREDENTIALS_DAMAGED';

/** Assesses a device by its files alone. The first condition that applies decides. */
export function assess(files: DeviceFiles): Assessment {
  const found = assessRun(files);
  const { problem } = files.storage;
  if (problem === undefined || !found.unfinished || files.holder !== null) return found;
  if (found.errors.some(({ code }) => code === problem.code)) return found;
  // The next start can't do its work, and it can't record that either.
  return { ...found, word: 'error', errors: [problem, ...found.errors], next: afterFailure(files, problem) };
}

function assessRun(files: DeviceFiles): Assessment {
  const { folder, trigger, snapshot, credentials, holder } = files;
  if (folder.problem !== undefined) {
    const which = folder.problem.code === 'USAGE' ? 'state' : 'device';
    const option = which === 'state' ? '--state-dir' : '--dir';
    const text = `Give the path of the ${which} folder: thermal-provision status ${option} <${which} folder>`;
    const shutOut = folder.problem.code === 'FILE_NOT_PERMITTED';
    return assessment('error', [folder.problem], shutOut ? lookAsOwner(files) : { text, command: null });
  }
  if (holder !== null) return running(files);
  const unreadable = [snapshot.problem, credentials.problem, trigger.problem].filter(
    (problem) => problem !== undefined && !isDamage(problem),
  );
  if (unreadable[0] !== undefined) {
    const shutOut = unreadable.some((problem) => problem?.code === 'FILE_NOT_PERMITTED');
    return assessment('error', unreadable, shutOut ? lookAsOwner(files) : afterFailure(files, unreadable[0]));
  }
  const failedStart = startFailure(files);
  if (failedStart !== undefined) {
    const requested = typeof trigger.value === 'number' || credentials.value !== null;
    return assessment(
      'error',
      [failedStart, snapshot.problem, credentials.problem],
      afterFailure(files, failedStart),
      requested,
    );
  }
  if (snapshot.problem !== undefined || credentials.problem !== undefined) return damaged(files);
  if (snapshot.value === undefined || snapshot.value === null) return withoutSnapshot(files);
  return ofRun(files, snapshot.value);
}

function running(files: DeviceFiles): Assessment {
  const wait = commandFor('status --wait', files.paths);
  const trouble = files.snapshot.value?.error ?? null;
  const isRetrying = trouble !== null && !isFinalState(files.snapshot.value?.state ?? 'detect');
  return assessment(
    'running',
    [isRetrying ? recorded(trouble) : undefined, files.snapshot.problem, files.credentials.problem],
    { text: 'Nothing: the agent is running. To wait for its end', command: wait },
    true,
  );
}

function damaged(files: DeviceFiles): Assessment {
  const problems = [files.snapshot.problem, files.credentials.problem];
  if (files.credentials.problem !== undefined && files.snapshot.value?.state !== 'provisioned') {
    // The agent would generate another name.
    const { names, server } = onServer(files);
    const device = names.length === 0 ? 'a device of this camera' : `the device ${names.join(' or ')}`;
    const text = `Look on ${server ?? 'the server'} for ${device}, and delete it if it exists: its token is lost. Then start the agent`;
    return assessment('degraded', problems, startAgain(files, text), true);
  }
  const aside: NextStep = { text: 'Set the damaged file aside', command: commandFor('reset', files.paths) };
  // Without these two files the agent does nothing, so it sets no file aside.
  if (files.trigger.value === null && files.credentials.value === null) return assessment('degraded', problems, aside);
  const text = 'Start the agent. It sets the damaged file aside and continues';
  return assessment('degraded', problems, { text, command: commandFor('run', files.paths) }, true);
}

const FOREIGN = condition(
  'FOREIGN_BOARD',
  'The unfinished run in this folder belongs to another board: the folder was copied, or the card was cloned',
  'On the other board, the next start resumes the run. On this board, the agent registers a new device.',
);

const OTHER_MACHINE_ID = condition(
  'FOREIGN_BOARD',
  'The unfinished run in this folder was begun under another machine-id, though the network address is the same',
  'If the machine-id changes at each boot, make it permanent or set THERMAL_BOARD_ID: see doctor. The agent registers a new device; delete the unused one on the server.',
);

const WITHDRAWN = condition(
  'WITHDRAWN',
  'provision.txt was removed before the run had ended. No further request is sent',
  'Put provision.txt back to resume under the same name, or give the run up with reset.',
);

const START = 'Start the agent to provision this device';

function withoutSnapshot(files: DeviceFiles): Assessment {
  const requested = typeof files.trigger.value === 'number';
  const stored = files.credentials.value ?? null;
  if (stored !== null) {
    if (stored.foreign) return foreign(files);
    if (!requested) return withdrawn(files);
    const lost = condition(
      'INTERRUPTED',
      'A run had started, but its snapshot.json is missing. Name and token are still in credentials.json',
      'The next start begins a new run with that name and token.',
    );
    return assessment('degraded', [lost], startAgain(files, 'Start the agent'), true);
  }
  if (!requested) {
    const idle: NextStep | null = (files.config.value ?? null) === null ? toProvision(files) : null;
    return assessment('not started', [], idle);
  }
  if ((files.target.value ?? null) === null) {
    return assessment('not started', [], startAgain(files, 'Correct provision.json (see the warning), then run'), true);
  }
  return assessment('not started', [], startAgain(files, START), true);
}

const foreign = (files: DeviceFiles): Assessment => {
  if (files.credentials.value?.mayBeThisBoard === true) {
    const doctor: NextStep = {
      text: 'Find out whether the machine-id is permanent',
      command: commandFor('doctor', files.paths),
    };
    return assessment('degraded', [OTHER_MACHINE_ID], doctor);
  }
  return assessment('degraded', [FOREIGN], {
    text: 'Nothing on this board. Start the agent on the other board. For more',
    command: commandFor('explain', files.paths),
  });
};

const withdrawn = (files: DeviceFiles): Assessment =>
  assessment('degraded', [WITHDRAWN], startAgain(files, 'To resume the run'));

/** The failure as the snapshot recorded it. A newer agent may have written a code that this agent does not know. */
function recorded(error: { readonly code: string; readonly message: string; readonly hint: string }): Problem {
  const code = isFailureCode(error.code) ? error.code : 'INTERNAL';
  return { ...error, code, retryable: FAILURES[code].retryable };
}

function ofRun(files: DeviceFiles, snapshot: SnapshotDocument): Assessment {
  const requested = typeof files.trigger.value === 'number';
  const stored = files.credentials.value ?? null;
  switch (snapshot.state) {
    case 'provisioned':
      return provisioned(files, snapshot);
    case 'failed': {
      const error = recorded(snapshot.error ?? { code: 'INTERNAL', message: 'No reason was recorded', hint: '' });
      return assessment('error', [error], afterFailure(files, error), requested);
    }
    case 'notRequested':
      return assessment('not started', [], null);
    case 'withdrawn':
      if (stored !== null || !requested) return withdrawnRun(files);
      return assessment('not started', [], startAgain(files, START), true);
    case 'superseded':
      if (stored?.foreign === true) return foreign(files);
      return assessment('degraded', [interrupted('it ended because provision.json had changed')], resume(files), true);
    default:
      return active(files, snapshot);
  }
}

const interrupted = (where: string): Problem =>
  condition(
    'INTERRUPTED',
    `The run was interrupted and no agent is running: ${where}`,
    'The next start resumes the run. Nothing is lost.',
  );

const resume = (files: DeviceFiles): NextStep => ({
  text: 'Start the agent to resume the run',
  command: commandFor('run', files.paths),
});

function withdrawnRun(files: DeviceFiles): Assessment {
  const requested = typeof files.trigger.value === 'number';
  if (files.credentials.value?.foreign === true) return foreign(files);
  if (requested) return assessment('degraded', [WITHDRAWN], resume(files), true);
  if (files.credentials.value !== null) return withdrawn(files);
  return assessment('not started', [], null);
}

function active(files: DeviceFiles, snapshot: SnapshotDocument): Assessment {
  const { state, context, error } = snapshot;
  const trouble = error === null ? undefined : recorded(error);
  if (files.credentials.value?.foreign === true) return foreign(files);
  const ends = state === 'restore' || hasReached('finalize', context);
  if (files.trigger.value === null && !ends) {
    // Without a generated name, no request was sent that could be withdrawn.
    if (files.credentials.value === null) return assessment('not started', [], null);
    return withdrawn(files);
  }
  const changed = files.target.value?.digest !== undefined && files.target.value?.digest !== context.settings?.digest;
  const where = `it stopped in ${state}`;
  const note =
    changed && context.settings !== null && !ends
      ? `${where}. provision.json was changed since then, so a new run begins with the new settings`
      : where;
  return assessment('degraded', [interrupted(note), trouble], resume(files), true);
}

function provisioned(files: DeviceFiles, snapshot: SnapshotDocument): Assessment {
  const device = snapshot.context.granted?.deviceName ?? snapshot.context.deviceName;
  if (files.credentials.value !== null) {
    const left = interrupted('the device is provisioned, only the clean-up is left');
    return assessment('degraded', [left], resume(files), true);
  }
  const requested = typeof files.trigger.value === 'number';
  const again = requested ? startAgain(files, 'provision.txt asks for another provisioning. Start the agent') : null;
  const mismatch = configurationProblem(files, snapshot, device);
  if (mismatch !== undefined) {
    return assessment(
      'degraded',
      [mismatch],
      again ?? { text: 'List the backups', command: commandFor('backups list', files.paths) },
      requested,
    );
  }
  const warning = conditionAfterSuccess(files, snapshot);
  if (warning === undefined) return assessment('done', [], again, requested);
  return assessment('degraded', [warning], again ?? { text: warning.hint, command: null }, requested);
}

/** Why the camera is not configured as the provisioned device; undefined: it is. */
function configurationProblem(
  files: DeviceFiles,
  { savedAt }: SnapshotDocument,
  device: string | null,
): Problem | undefined {
  if (files.config.problem !== undefined) return files.config.problem;
  const config = files.config.value;
  if (config === null) {
    return problemOf(new Failure('CONFIG_MISSING', 'removed', { path: files.paths.thermalConfig, savedAt }));
  }
  if (config.deviceId === device) return undefined;
  return condition(
    'DEVICE_MISMATCH',
    `thermal_config.json names the device ${config.deviceId ?? '(none)'}, but the last run provisioned ${device ?? '(none)'}`,
    `The file was changed or restored after the run. If that is a mistake, restore a backup that names ${device ?? 'this device'}. Another provisioning can register another device.`,
  );
}
