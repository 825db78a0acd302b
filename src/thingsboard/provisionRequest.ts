import type { Secret } from '../secret.ts';

/**
 * What a provisioning request says (docs/thingsboard.md, section 2). The simulator reads requests with its own code
 * (src/simulator/provisionRequest.ts), so that a mistake in one can't hide in the other.
 */
export interface ProvisionRequest {
  readonly deviceKey: Secret;
  readonly deviceSecret: Secret;
  readonly deviceName: string;
  /** The access token that the device drew for itself; honoured by ALLOW_CREATE_NEW_DEVICES. */
  readonly token: Secret;
}

/** The request's payload. Absent fields are left out: a null in any of them closes the connection. */
export function provisionRequestPayload(request: ProvisionRequest): string {
  return JSON.stringify({
    provisionDeviceKey: request.deviceKey.reveal(),
    provisionDeviceSecret: request.deviceSecret.reveal(),
    deviceName: request.deviceName,
    credentialsType: 'ACCESS_TOKEN',
    token: request.token.reveal(),
  });
}
