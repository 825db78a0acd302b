import { hasReached, isFinalState, type ProvisionState } from '../../machines/provision.states.ts';
import type { TriggerIdentity } from '../../machines/provision.types.ts';
import { type BoardIdentity, isForeignBoard } from '../device/board.ts';
import type { Credentials } from '../state/credentials.ts';
import type { SnapshotDocument } from '../state/snapshotDocument.ts';

/** What a start of the agent must do. */
export type StartUp =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'new'; readonly why: string }
  | { readonly kind: 'resume'; readonly snapshot: SnapshotDocument }
  /** The configuration was replaced before the run ended: it is backed up and written again. */
  | { readonly kind: 'rewrite'; readonly snapshot: SnapshotDocument }
  /** provision.txt was removed, and the run had only its last step left. */
  | { readonly kind: 'finish'; readonly snapshot: SnapshotDocument }
  /** The run is complete, but not its clean-up. */
  | { readonly kind: 'cleanUp'; readonly snapshot: SnapshotDocument; readonly afterwards: 'new' | 'nothing' }
  | { readonly kind: 'withdrawn'; readonly snapshot: SnapshotDocument | undefined };

export interface Found {
  readonly trigger: TriggerIdentity | null;
  readonly credentials: Credentials | undefined;
  readonly snapshot: SnapshotDocument | undefined;
  readonly board: BoardIdentity;
  /** Whether thermal_config.json holds the issued credentials. Used only at the end of a run (`isAtTheEnd`). */
  readonly written: boolean;
}

/** States in which the configuration does not say how far the run is. */
const NOT_AT_THE_END: readonly ProvisionState[] = ['provisioned', 'restore'];

/** Whether the configuration should hold the new credentials, which is so from `finalize` on. */
export const isAtTheEnd = (snapshot: SnapshotDocument | undefined): snapshot is SnapshotDocument =>
  snapshot !== undefined && !NOT_AT_THE_END.includes(snapshot.state) && hasReached('finalize', snapshot.context);

/**
 * Decides from the files alone, like a bootloader. A final state is never resumed. credentials.json says what may exist
 * on the server.
 */
export function decideStartUp({ trigger, credentials, snapshot, board, written }: Found): StartUp {
  if (trigger === null) return withoutTrigger(credentials, snapshot, written);
  if (snapshot === undefined) return { kind: 'new', why: credentials === undefined ? 'no earlier run' : 'no snapshot' };
  if (snapshot.state === 'provisioned') {
    return credentials === undefined
      ? { kind: 'new', why: 'provision.txt is present again' }
      : // These credentials belong to the finished run: they must be removed before a new run starts.
        { kind: 'cleanUp', snapshot, afterwards: 'new' };
  }
  if (isFinalState(snapshot.state)) return { kind: 'new', why: `the earlier run ended as ${snapshot.state}` };
  if (credentials !== undefined && isForeignBoard(credentials.board, board)) {
    return { kind: 'new', why: 'the earlier run belongs to another board' };
  }
  // From `request` on a run needs credentials.json.
  if (credentials === undefined && hasReached('request', snapshot.context)) {
    return { kind: 'new', why: 'the earlier run lost its credentials.json' };
  }
  return { kind: snapshot.state === 'finalize' && !written ? 'rewrite' : 'resume', snapshot };
}

function withoutTrigger(
  credentials: Credentials | undefined,
  snapshot: SnapshotDocument | undefined,
  written: boolean,
): StartUp {
  if (credentials === undefined) return { kind: 'nothing' };
  if (snapshot?.state === 'provisioned') return { kind: 'cleanUp', snapshot, afterwards: 'nothing' };
  // Removing the trigger cancels the run, but a damaged configuration is still restored.
  if (snapshot?.state === 'restore') return { kind: 'resume', snapshot };
  return isAtTheEnd(snapshot) && written ? { kind: 'finish', snapshot } : { kind: 'withdrawn', snapshot };
}
