import type { Secret } from '../secret.ts';

/**
 * The content of a provisioning request (docs/thingsboard.md, section 2). The simulator reads requests with its own
 * code (src/simulator/provisionRequest.ts), so that an error in one shows up in the other.
 */
export interface ProvisionRequest {
  readonly deviceKey: Secret;
  readonly deviceSecret: Secret;
  readonly deviceName: string;
  /** The access token that the device generated. Only strategy ALLOW_CREATE_NEW_DEVICES uses it. */
  readonly token: Secret;
  /** Register a gateway. Only strategy ALLOW_CREATE_NEW_DEVICES uses it. */
  readonly gateway?: true | undefined;
}

/** The request's payload. Absent fields are left out, because a null makes the server close the connection. */
export function provisionRequestPayload(request: ProvisionRequest): string {
  return JSON.stringify({
    provisionDeviceKey: request.deviceKey.reveal(),
    provisionDeviceSecret: request.deviceSecret.reveal(),
    deviceName: request.deviceName,
    credentialsType: 'ACCESS_TOKEN',
    token: request.token.reveal(),
    ...(request.gateway === undefined ? {} : { gateway: true }),
  });
}
