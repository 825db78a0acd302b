import type { KnownStrategy } from '../../machines/provision.types.ts';
import type { SnapshotDocument } from '../state/snapshotDocument.ts';

/** The strategy of the device profile that the snapshot on disk shows. null: it shows none. */
export function strategySeenIn(previous: SnapshotDocument | undefined): KnownStrategy | null {
  if (previous === undefined) return null;
  const { settings, granted, deviceName, fingerprint, knownStrategy } = previous.context;
  // After a late success the fingerprint is that of a later name.
  if (previous.state !== 'provisioned' || settings === null || granted?.deviceName !== deviceName) return knownStrategy;
  return { digest: settings.digest, strategy: granted.fingerprint === fingerprint ? 'creates' : 'checks' };
}
