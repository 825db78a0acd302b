import type { DeviceCredentials } from '../deviceCredentials.ts';
import type { Secret } from '../secret.ts';

/**
 * The content of a provisioning request (docs/thingsboard.md, section 2). The simulator reads requests with its own
 * code (src/simulator/provisionRequest.ts), so that an error in one shows up in the other.
 */
export interface ProvisionRequest {
  readonly deviceKey: Secret;
  readonly deviceSecret: Secret;
  readonly deviceName: string;
  /** What the device generated. Only strategy ALLOW_CREATE_NEW_DEVICES uses it. */
  readonly credentials: DeviceCredentials;
  /** Register a gateway. Only strategy ALLOW_CREATE_NEW_DEVICES uses it. */
  readonly gateway?: true | undefined;
}

/** The fields of the credentials in a request. Of a certificate's key pair only the certificate is sent. */
function credentialsFields(credentials: DeviceCredentials): Readonly<Record<string, string>> {
  switch (credentials.type) {
    case 'ACCESS_TOKEN':
      return { token: credentials.token.reveal() };
    case 'X509_CERTIFICATE':
      return { hash: credentials.certificate };
    case 'MQTT_BASIC': {
      const { clientId, userName, password } = credentials;
      return {
        ...(clientId === null ? {} : { clientId }),
        ...(userName === null ? {} : { username: userName.reveal() }),
        ...(password === null ? {} : { password: password.reveal() }),
      };
    }
  }
}

/** The request's payload. Absent fields are left out, because a null makes the server close the connection. */
export function provisionRequestPayload(request: ProvisionRequest): string {
  return JSON.stringify({
    provisionDeviceKey: request.deviceKey.reveal(),
    provisionDeviceSecret: request.deviceSecret.reveal(),
    deviceName: request.deviceName,
    credentialsType: request.credentials.type,
    ...credentialsFields(request.credentials),
    ...(request.gateway === undefined ? {} : { gateway: true }),
  });
}
