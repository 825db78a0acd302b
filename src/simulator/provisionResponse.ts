import type { Credentials } from './credentials.ts';
import { credentialsValue } from './credentials.ts';
import type { Decision } from './provisioningStrategy.ts';

// Writes the server's answers. It shares no code with src/thingsboard/provisionResponse.ts, which reads them, so that
// an error in one shows up in the other.

/** An answer in protobuf instead of JSON: field 1, status 2 (NOT_FOUND). */
export const PROTOBUF_NOT_FOUND = Buffer.from([0x08, 0x02]);

const success = (credentials: Credentials): string =>
  JSON.stringify({
    credentialsValue: credentialsValue(credentials),
    credentialsType: credentials.type,
    status: 'SUCCESS',
  });

/** The response as the server writes it: compact, same key order, no reason (docs/thingsboard.md, section 3). */
export function responseText(decision: Exclude<Decision, { status: 'SILENCE' }>): string {
  switch (decision.status) {
    case 'SUCCESS':
      return success(decision.credentials);
    case 'NOT_FOUND':
      return '{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}';
    case 'FAILURE':
      return '{"errorMsg":"Failed to provision device!","status":"FAILURE"}';
  }
}
