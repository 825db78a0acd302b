import { type RpcMethods, refused } from '../../client/rpc/methods.ts';
import type { DevicePaths } from '../../device/paths.ts';
import type { Log } from '../../log/log.ts';

interface RemoteOptions {
  readonly paths: DevicePaths;
  readonly log: Log;
  /** Whether the server may ask for a new device. */
  readonly allowed: boolean;
}

const notAllowed = refused({
  reason: 'not allowed',
  message: 'This camera does not let the server ask for a new device',
  hint: 'Start the client with --allow-rpc, or set THERMAL_ALLOW_RPC=yes.',
});

/** The methods of `start`. Most cameras are never asked, so their code is loaded at the first request. */
export const remoteMethods = ({ paths, log, allowed }: RemoteOptions): RpcMethods => ({
  provisioningStatus: async () => (await import('../parts/diagnosis.ts')).provisioningStatus(paths),
  reprovision: async () => (allowed ? (await import('../parts/diagnosis.ts')).reprovision(paths, log) : notAllowed),
});
