import { PROVISION_USER } from '../thingsboard/topics.ts';
import { type Checked, passed } from './check.ts';
import type { LoginAttempt } from './loginAttempt.ts';

/** Checks that the server accepts the user of provisioning requests. */
export async function checkMqttConnection({ accepted }: LoginAttempt): Promise<Checked<true>> {
  const step = await accepted;
  if ('failure' in step) throw step.failure;
  return { fact: true, findings: [passed(`the user "${PROVISION_USER}" is accepted`)] };
}
