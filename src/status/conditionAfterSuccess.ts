import type { SnapshotDocument } from '../state/snapshotDocument.ts';
import { condition } from './condition.ts';
import type { DeviceFiles } from './deviceFiles.ts';
import { openWarnings } from './openWarnings.ts';
import type { Problem } from './part.ts';

/** What someone must still do about a device that works as it should; undefined: nothing. */
export const conditionAfterSuccess = (files: DeviceFiles, snapshot: SnapshotDocument): Problem | undefined =>
  secretLeft(files, snapshot) ?? warned(files, snapshot) ?? keptDamaged(files);

function warned(files: DeviceFiles, { context }: SnapshotDocument): Problem | undefined {
  const open = openWarnings(files, context.warnings);
  if (open.length === 0) return undefined;
  const count = open.length === 1 ? 'a warning' : `${open.length} warnings`;
  const message = `The device was provisioned, with ${count} to act on`;
  return condition('WARNINGS', message, [...new Set(open.map(({ advice }) => advice))].join(' '));
}

/** The clean-up could not remove the secret (`provisioning.scrub`), and nobody has removed it since. */
function secretLeft({ target, trigger, paths }: DeviceFiles, { context }: SnapshotDocument): Problem | undefined {
  const left = target.value?.secretLeft === true && target.value.digest === context.settings?.digest;
  // A new provision.txt starts a run that needs the secret.
  if (!left || trigger.value !== null) return undefined;
  return condition(
    'SECRET_LEFT',
    `The device secret is still in ${paths.provisionJson}, although provisioning.scrub asks to remove it`,
    `Remove the secret from ${paths.provisionJson}, or remove the file. The event secret.left in the log has the reason.`,
  );
}

function keptDamaged({ setAside, paths }: DeviceFiles): Problem | undefined {
  const names = (setAside.value ?? []).filter((name) => name.includes('.damaged-'));
  if (names.length === 0) return undefined;
  return condition(
    'SET_ASIDE',
    `A damaged file of an earlier run was set aside: ${names.join(', ')}`,
    `Keep it for support, or remove it from ${paths.stateFolder}.`,
  );
}
