import { hasReached, isFinalState } from '../../machines/provision.states.ts';
import { FAILURES, isFailureCode } from '../failures/catalogue.ts';
import { Failure } from '../failures/failure.ts';
import type { SnapshotDocument } from '../state/snapshotDocument.ts';
import { commandFor } from './command.ts';
import type { DeviceFiles } from './deviceFiles.ts';
import type { NextStep, StatusWord } from './deviceStatus.ts';
import { afterFailure, lookAsOwner, startAgain } from './nextSteps.ts';
import { type ConditionCode, type Problem, problemOf } from './part.ts';
import { startFailure } from './startFailure.ts';

/** How a device is, why, and what to do. */
export interface Judgement {
  readonly word: StatusWord;
  readonly errors: readonly Problem[];
  readonly next: NextStep | null;
  /** Whether the next start of the agent has something to do without being asked anew. */
  readonly unfinished: boolean;
}

const judgement = (
  word: StatusWord,
  errors: readonly (Problem | undefined)[],
  next: NextStep | null,
  unfinished = false,
): Judgement => ({ word, errors: errors.filter((error) => error !== undefined), next, unfinished });

const condition = (code: ConditionCode, message: string, hint: string): Problem => ({
  code,
  message,
  hint,
  retryable: false,
});

const isDamage = (problem: Problem): boolean =>
  problem.code === 'SNAPSHOT_DAMAGED' || problem.code === 'CREDENTIALS_DAMAGED';

/** Judges a device from its files alone: the first of these that holds decides. */
export function judge(files: DeviceFiles): Judgement {
  const { folder, trigger, snapshot, credentials, holder } = files;
  if (folder.problem !== undefined) {
    const text = 'Name the right folder: thermal-provision status --dir <device folder>';
    const shutOut = folder.problem.code === 'FILE_NOT_PERMITTED';
    return judgement('error', [folder.problem], shutOut ? lookAsOwner(files) : { text, command: null });
  }
  if (holder !== null) return atWork(files);
  const unreadable = [snapshot.problem, credentials.problem, trigger.problem].filter(
    (problem) => problem !== undefined && !isDamage(problem),
  );
  if (unreadable[0] !== undefined) {
    const shutOut = unreadable.some((problem) => problem?.code === 'FILE_NOT_PERMITTED');
    return judgement('error', unreadable, shutOut ? lookAsOwner(files) : afterFailure(files, unreadable[0]));
  }
  const failedStart = startFailure(files);
  if (failedStart !== undefined) {
    const requested = typeof trigger.value === 'number' || credentials.value !== null;
    return judgement(
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

function atWork(files: DeviceFiles): Judgement {
  const wait = commandFor('status --wait', files.paths);
  const trouble = files.snapshot.value?.error ?? null;
  const running = trouble !== null && !isFinalState(files.snapshot.value?.state ?? 'detect');
  return judgement(
    'running',
    [running ? recorded(trouble) : undefined, files.snapshot.problem, files.credentials.problem],
    { text: 'Nothing, the agent is at work; to wait for its end', command: wait },
    true,
  );
}

function damaged(files: DeviceFiles): Judgement {
  const problems = [files.snapshot.problem, files.credentials.problem];
  const aside: NextStep = { text: 'Set the damaged file aside', command: commandFor('reset', files.paths) };
  // Only with one of these two files does a start look at anything.
  if (files.trigger.value === null && files.credentials.value === null) return judgement('degraded', problems, aside);
  const text = 'Start the agent, which sets the damaged file aside and goes on';
  return judgement('degraded', problems, { text, command: commandFor('run', files.paths) }, true);
}

const FOREIGN = condition(
  'FOREIGN_BOARD',
  'The unfinished run in this folder belongs to another board: this is a copy of its folder, or of its card',
  'On that board the next start goes on with it; an agent that is started here registers a device of its own.',
);

const WITHDRAWN = condition(
  'WITHDRAWN',
  'provision.txt was removed before the run had ended: nothing more is sent',
  'Put provision.txt back to go on under the same name, or give the run up with reset.',
);

function withoutSnapshot(files: DeviceFiles): Judgement {
  const requested = typeof files.trigger.value === 'number';
  const stored = files.credentials.value ?? null;
  if (stored !== null) {
    if (stored.foreign) return foreign(files);
    if (!requested) return withdrawn(files);
    const lost = condition(
      'INTERRUPTED',
      'A run was begun, and its snapshot.json is gone; name and token are still in credentials.json',
      'The next start begins anew with that name and token.',
    );
    return judgement('degraded', [lost], startAgain(files, 'Start the agent'), true);
  }
  if (!requested) {
    const idle: NextStep | null =
      (files.config.value ?? null) === null
        ? startAgain(files, 'To provision this device, put provision.json into its folder, then')
        : null;
    return judgement('not started', [], idle);
  }
  const missing = files.target.problem ?? (files.target.value === null ? noProvisionJson(files) : undefined);
  if (missing !== undefined) {
    return judgement('not started', [], startAgain(files, 'Correct provision.json (see the warning), then'), true);
  }
  return judgement('not started', [], startAgain(files, 'Start the agent, which provisions this device'), true);
}

const noProvisionJson = ({ paths }: DeviceFiles): Problem =>
  problemOf(new Failure('PROVISION_JSON_MISSING', 'absent', { path: paths.provisionJson, problems: [] }));

const foreign = (files: DeviceFiles): Judgement =>
  judgement('degraded', [FOREIGN], {
    text: 'Nothing on this computer. On the board itself start the agent; to read more',
    command: commandFor('explain', files.paths),
  });

const withdrawn = (files: DeviceFiles): Judgement =>
  judgement('degraded', [WITHDRAWN], startAgain(files, 'To go on with the run'));

/** The failure of a snapshot as it was recorded; its code may be a newer agent’s. */
function recorded(error: { readonly code: string; readonly message: string; readonly hint: string }): Problem {
  const code = isFailureCode(error.code) ? error.code : 'INTERNAL';
  return { ...error, code, retryable: FAILURES[code].retryable };
}

function ofRun(files: DeviceFiles, snapshot: SnapshotDocument): Judgement {
  const requested = typeof files.trigger.value === 'number';
  const stored = files.credentials.value ?? null;
  switch (snapshot.state) {
    case 'provisioned':
      return provisioned(files, snapshot);
    case 'failed': {
      const error = recorded(snapshot.error ?? { code: 'INTERNAL', message: 'No reason was recorded', hint: '' });
      return judgement('error', [error], afterFailure(files, error), requested);
    }
    case 'notRequested':
      return judgement('not started', [], null);
    case 'withdrawn':
      if (stored !== null || !requested) return withdrawnRun(files);
      return judgement('not started', [], startAgain(files, 'Start the agent, which provisions this device'), true);
    case 'superseded':
      if (stored?.foreign === true) return foreign(files);
      return judgement('degraded', [interrupted('it ended because provision.json had changed')], goOn(files), true);
    default:
      return active(files, snapshot);
  }
}

const interrupted = (where: string): Problem =>
  condition(
    'INTERRUPTED',
    `The run was interrupted and no agent is working on it: ${where}`,
    'The next start goes on from there; nothing is lost.',
  );

const goOn = (files: DeviceFiles): NextStep => ({
  text: 'Start the agent, which goes on',
  command: commandFor('run', files.paths),
});

function withdrawnRun(files: DeviceFiles): Judgement {
  const requested = typeof files.trigger.value === 'number';
  if (files.credentials.value?.foreign === true) return foreign(files);
  if (requested) return judgement('degraded', [WITHDRAWN], goOn(files), true);
  if (files.credentials.value !== null) return withdrawn(files);
  return judgement('not started', [], null);
}

function active(files: DeviceFiles, snapshot: SnapshotDocument): Judgement {
  const { state, context, error } = snapshot;
  const trouble = error === null ? undefined : recorded(error);
  if (files.credentials.value?.foreign === true) return foreign(files);
  const ends = state === 'restore' || hasReached('finalize', context);
  if (files.trigger.value === null && !ends) {
    // Without a name nothing had begun that could be taken back.
    if (files.credentials.value === null) return judgement('not started', [], null);
    return withdrawn(files);
  }
  const changed = files.target.value?.digest !== undefined && files.target.value?.digest !== context.settings?.digest;
  const where = `it stopped in ${state}`;
  const note =
    changed && context.settings !== null && !ends
      ? `${where}. provision.json has been changed since: a new run begins with the new settings`
      : where;
  return judgement('degraded', [interrupted(note), trouble], goOn(files), true);
}

function provisioned(files: DeviceFiles, snapshot: SnapshotDocument): Judgement {
  const device = snapshot.context.granted?.deviceName ?? snapshot.context.deviceName;
  if (files.credentials.value !== null) {
    const left = interrupted('it was provisioned, and only its last clean-up is left');
    return judgement('degraded', [left], goOn(files), true);
  }
  const requested = typeof files.trigger.value === 'number';
  const again = requested ? startAgain(files, 'provision.txt asks for another provisioning; start the agent') : null;
  const spoilt = configurationProblem(files, snapshot, device);
  if (spoilt !== undefined) {
    return judgement(
      'degraded',
      [spoilt],
      again ?? { text: 'See what is there', command: commandFor('backups list', files.paths) },
      requested,
    );
  }
  const oddity = warned(snapshot) ?? keptDamaged(files);
  if (oddity === undefined) return judgement('done', [], again, requested);
  return judgement('degraded', [oddity], again ?? { text: oddity.hint, command: null }, requested);
}

/** Why the camera does not work as the device that was provisioned; undefined: it does. */
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
    `thermal_config.json names the device ${config.deviceId ?? '(none)'}, the last run provisioned ${device ?? '(none)'}`,
    'Somebody has changed or restored the file since. If that was not meant: provision the device again.',
  );
}

function warned({ context }: SnapshotDocument): Problem | undefined {
  const count = context.warnings.length;
  if (count === 0) return undefined;
  const message = `The device was provisioned, with ${count === 1 ? 'a warning' : `${count} warnings`}`;
  return condition('WARNINGS', message, 'Do what the warnings ask for; a later run without any clears them.');
}

function keptDamaged({ setAside, paths }: DeviceFiles): Problem | undefined {
  const names = (setAside.value ?? []).filter((name) => name.includes('.damaged-'));
  if (names.length === 0) return undefined;
  return condition(
    'SET_ASIDE',
    `A damaged file of an earlier run was set aside: ${names.join(', ')}`,
    `Keep it for support, else remove it from ${paths.stateFolder}.`,
  );
}
