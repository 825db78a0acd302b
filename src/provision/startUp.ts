import { hasReached, isFinalState, type ProvisionState } from '../../machines/provision.states.ts';
import type { TriggerIdentity } from '../../machines/provision.types.ts';
import { type BoardIdentity, isForeignBoard } from '../device/board.ts';
import type { Credentials } from '../state/credentials.ts';
import type { SnapshotDocument } from '../state/snapshotDocument.ts';

/** What a start of the agent has to do. */
export type StartUp =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'new'; readonly why: string }
  | { readonly kind: 'resume'; readonly snapshot: SnapshotDocument }
  /** The configuration was replaced by somebody before the run had ended: it is backed up and written again. */
  | { readonly kind: 'rewrite'; readonly snapshot: SnapshotDocument }
  /** provision.txt is gone, and the run had only its end left. */
  | { readonly kind: 'finish'; readonly snapshot: SnapshotDocument }
  /** The run is over but for its last clean-up. */
  | { readonly kind: 'cleanUp'; readonly snapshot: SnapshotDocument; readonly afterwards: 'new' | 'nothing' }
  | { readonly kind: 'withdrawn'; readonly snapshot: SnapshotDocument | undefined };

export interface Found {
  readonly trigger: TriggerIdentity | null;
  readonly credentials: Credentials | undefined;
  readonly snapshot: SnapshotDocument | undefined;
  readonly board: BoardIdentity;
  /** Whether thermal_config.json holds what was granted; asked for only at the end of a run (`isAtTheEnd`). */
  readonly written: boolean;
}

/** States after which, or in which, the configuration is nothing to go by. */
const NOT_AT_THE_END: readonly ProvisionState[] = ['provisioned', 'restore'];

/** From `finalize` on the configuration should hold the new credentials, unless somebody has replaced it since. */
export const isAtTheEnd = (snapshot: SnapshotDocument | undefined): snapshot is SnapshotDocument =>
  snapshot !== undefined && !NOT_AT_THE_END.includes(snapshot.state) && hasReached('finalize', snapshot.context);

/**
 * Decides from the files alone, like a bootloader: a terminal snapshot is never resumed, and credentials.json says
 * what may exist on the server.
 */
export function decideStartUp({ trigger, credentials, snapshot, board, written }: Found): StartUp {
  if (trigger === null) return withoutTrigger(credentials, snapshot, written);
  if (snapshot === undefined) return { kind: 'new', why: credentials === undefined ? 'no earlier run' : 'no snapshot' };
  if (snapshot.state === 'provisioned') {
    return credentials === undefined
      ? { kind: 'new', why: 'provision.txt asks again' }
      : // The request of a new run waits until its own snapshot has replaced this one: these are the old run's.
        { kind: 'cleanUp', snapshot, afterwards: 'new' };
  }
  if (isFinalState(snapshot.state)) return { kind: 'new', why: `the earlier run ended as ${snapshot.state}` };
  if (credentials !== undefined && isForeignBoard(credentials.board, board)) {
    return { kind: 'new', why: 'the earlier run is another board’s' };
  }
  // From `request` on a run depends on credentials.json.
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
  // Whoever takes the trigger away gives up the run, but not the configuration that it had spoilt.
  if (snapshot?.state === 'restore') return { kind: 'resume', snapshot };
  return isAtTheEnd(snapshot) && written ? { kind: 'finish', snapshot } : { kind: 'withdrawn', snapshot };
}
